import assert from 'node:assert/strict'
import { suite, test, type TestContext } from 'node:test'

import {
  DeleteObjectCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type PutObjectCommandOutput,
} from '@aws-sdk/client-s3'

import { provision } from '#shared/adapters/provision.ts'
import { s3ObjectStore } from '#shared/adapters/s3/object-store.ts'
import { sqsMessageQueue } from '#shared/adapters/sqs/message-queue.ts'
import { planResources, queueNames } from '#shared/domain/resources.ts'
import type { QueueMessage } from '#shared/ports/message-queue.ts'
import { settleMessage, type MessageDeps } from '../../services/upload-watcher/message.ts'
import { findVerdict } from '../../services/upload-watcher/verdicts.ts'
import { keyOf, notificationOf, s3Record } from '../services/upload-watcher/notifications.ts'
import { openLines, openTold } from '../services/upload-watcher/world.ts'
import { openLocal, region } from '../shared/adapters/aws/local.ts'
import { fakeEventLog } from '../support/fakes/event-log.ts'
import { goodPhoto, pdfBytes } from '../support/images.ts'

const { signal } = new AbortController()
const names = { bucket: 'versioned-images', stateBucket: 'versioned-state' }
const photo = await goodPhoto('image/png')

/** A local S3 whose bucket keeps versions, and a watcher's settling of what it tells. */
const openVersioned = async (context: TestContext) => {
  const local = await openLocal()
  context.after(local.dispose)
  const { s3, sqs, url } = local
  const { queueUrl } = await provision({ s3, sqs, region }, planResources(names, []))
  const VersioningConfiguration = { Status: 'Enabled' } as const
  await s3.send(new PutBucketVersioningCommand({ Bucket: names.bucket, VersioningConfiguration }))
  const events = fakeEventLog()
  const { told, metrics } = openTold()
  const deps: MessageDeps = {
    rejectedAction: 'delete',
    images: s3ObjectStore({ client: s3, bucket: names.bucket }),
    states: s3ObjectStore({ client: s3, bucket: names.stateBucket }),
    events: events.log,
    origin: { region },
    place: { bucket: names.bucket, cdnBaseUrl: 'https://cdn.example.com' },
    uploads: sqsMessageQueue({ client: sqs, queueUrl: queueUrl(queueNames.uploads) }),
    quarantine: sqsMessageQueue({ client: sqs, queueUrl: queueUrl(queueNames.quarantine) }),
    log: openLines().log,
    metrics,
    visibilitySeconds: 30,
  }
  const put = (key: string, bytes: Uint8Array = photo): Promise<PutObjectCommandOutput> =>
    s3.send(new PutObjectCommand({ Bucket: names.bucket, Key: key, Body: bytes, ContentType: 'image/png' }))
  const deleteOne = (key: string, VersionId?: string) =>
    s3.send(new DeleteObjectCommand({ Bucket: names.bucket, Key: key, ...(VersionId && { VersionId }) }))
  /** Settles all that the queue holds, and gives the outcomes. */
  const settleAll = async () => {
    told.outcomes.length = 0
    for (;;) {
      const messages = await deps.uploads.receive({ max: 10, waitSeconds: 0, visibilitySeconds: 30, signal })
      if (messages.length === 0) return told.outcomes.filter((outcome) => outcome !== 'ignored test_event')
      for (const message of messages) await settleMessage(deps, message, signal)
    }
  }
  /** The last message first; gives the bodies. */
  const settleReversed = async () => {
    const messages: QueueMessage[] = []
    for (;;) {
      const more = await deps.uploads.receive({ max: 10, waitSeconds: 0, visibilitySeconds: 30, signal })
      if (more.length === 0) break
      messages.push(...more.filter(({ body }) => !body.includes('s3:TestEvent')))
    }
    for (const message of messages.toReversed()) await settleMessage(deps, message, signal)
    return messages.map(({ body }) => body)
  }
  const deletionIds = () =>
    events.records.flatMap(({ topic, value }) =>
      topic === 'image.deleted' ? [(JSON.parse(value) as { id: string }).id] : [],
    )
  const deletions = () =>
    // Our own events, which other tests check against their schemas.
    events.records.flatMap(({ topic, value }) =>
      topic === 'image.deleted' ? [(JSON.parse(value) as { data: { version_id?: string } }).data.version_id] : [],
    )
  return { ...deps, url, put, deleteOne, settleAll, settleReversed, deletions, deletionIds }
}

suite('a bucket with versions', () => {
  test('a rejected version is removed for good, told once, and leaves another under its key with its verdict', async (context) => {
    const { images, states, put, settleAll, deletions } = await openVersioned(context)
    const [alone, above] = [keyOf('scan', 4), keyOf('scan', 5)]
    const good = await put(above)
    await put(above, pdfBytes(1))
    const { VersionId } = await put(alone, pdfBytes(1))
    assert.deepEqual((await settleAll()).toSorted(), [
      'deleted',
      'rejected not_an_image',
      'rejected not_an_image',
      'uploaded',
      'uploaded',
    ])
    assert.equal((await findVerdict(states, above, signal))?.verdict.version_id, good.VersionId)
    assert.equal(await images.head(alone), undefined)
    assert.equal((await images.head(above))?.size, photo.length)
    assert.deepEqual(deletions(), [VersionId])
  })

  test('a notification of an older version that comes late or again leaves the verdict on the newer one', async (context) => {
    const { uploads, states, put, deleteOne, settleAll, deletions } = await openVersioned(context)
    const key = keyOf('chat', 6)
    const [older, newer] = [await put(key), await put(key, await goodPhoto('image/png', { width: 9, height: 7 }))]
    await settleAll()
    const late = s3Record(key, { bucket: names.bucket, awsRegion: region, object: { versionId: older.VersionId } })
    await uploads.send({ body: notificationOf(late) })
    assert.deepEqual(await settleAll(), ['uploaded'])
    const found = await findVerdict(states, key, signal)
    assert.deepEqual([found?.verdict.version_id, found?.verdict.width], [newer.VersionId, 9])
    await deleteOne(key)
    await settleAll()
    assert.deepEqual(deletions(), [newer.VersionId])
  })

  test('a bare delete is told once about the version that was uploaded, also when all of it goes later', async (context) => {
    const { images, put, deleteOne, settleAll, deletions } = await openVersioned(context)
    const key = keyOf('scan', 1)
    const { VersionId } = await put(key)
    assert.ok(VersionId)
    assert.deepEqual(await settleAll(), ['uploaded'])
    await deleteOne(key)
    assert.deepEqual(await settleAll(), ['deleted'])
    await images.remove(key)
    assert.deepEqual(await settleAll(), ['ignored already_told', 'ignored already_told'])
    assert.deepEqual(deletions(), [VersionId])
  })

  test("the API's delete of several versions and a marker is told once", async (context) => {
    const { images, put, settleAll, deletions } = await openVersioned(context)
    const key = keyOf('profile', 2)
    await put(key)
    await settleAll()
    const { VersionId } = await put(key)
    assert.deepEqual(await settleAll(), ['uploaded'])
    await images.remove(key)
    assert.deepEqual((await settleAll()).toSorted(), ['deleted', 'ignored already_told'])
    assert.deepEqual(deletions(), [VersionId])
  })

  test('a marker that is told before its image was looked at has one id, however often and late it comes', async (context) => {
    const { uploads, images, put, deleteOne, settleAll, settleReversed, deletionIds } = await openVersioned(context)
    const key = keyOf('scan', 7)
    await put(key)
    await put(key)
    await deleteOne(key)
    const bodies = await settleReversed()
    assert.equal(deletionIds().length, 1)
    for (const body of [...bodies, ...bodies]) await uploads.send({ body })
    await settleAll()
    await images.remove(key)
    await settleAll()
    assert.equal(new Set(deletionIds()).size, 1)
  })

  test('an image that is put again after a marker that was told first is told again when it goes', async (context) => {
    const { put, deleteOne, settleAll, settleReversed, deletions } = await openVersioned(context)
    const key = keyOf('scan', 8)
    await put(key)
    await deleteOne(key)
    await settleReversed()
    const again = await put(key)
    assert.deepEqual(await settleAll(), ['uploaded'])
    await deleteOne(key)
    assert.deepEqual(await settleAll(), ['deleted'])
    assert.deepEqual(deletions(), [undefined, again.VersionId])
  })

  test('a marker that goes shows the image again, which tells nothing', async (context) => {
    const { images, put, deleteOne, settleAll, deletions } = await openVersioned(context)
    const key = keyOf('chat', 3)
    await put(key)
    const marker = await deleteOne(key)
    await deleteOne(key, marker.VersionId)
    assert.ok(await images.head(key))
    assert.deepEqual((await settleAll()).toSorted(), ['ignored object_remains', 'ignored object_remains', 'uploaded'])
    assert.deepEqual(deletions(), [])
  })
})
