import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import {
  DeleteObjectCommand,
  PutBucketNotificationConfigurationCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'

import { objectEventId } from '#shared/domain/ids.ts'
import { makeKey, type ObjectKey } from '#shared/domain/keys.ts'
import { openS3Of } from '../support/client.ts'
import { eventually } from '../support/eventually.ts'
import { newId } from '../support/file-mix.ts'
import { goodPhoto, pdfBytes } from '../support/images.ts'
import { startSystem, temporaryDirectory, type RunningSystem } from '../support/local-system.ts'
import { countMessages, readEvents } from '../support/outside.ts'
import { runTool } from '../support/run-tool.ts'

const directory = temporaryDirectory()
const dataPath = join(directory.path, 'data')
const photo = await goodPhoto('image/png')
let running: RunningSystem
let s3: S3Client

before(async () => {
  running = await startSystem(dataPath)
  s3 = openS3Of(running.system)
  const Bucket = running.system.bucket
  await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }))
  // S3 tells nobody of what happens from here on.
  await s3.send(new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration: {} }))
})
after(async () => {
  s3.destroy()
  await running.end('SIGTERM')
  directory.remove()
})

const newKey = () => {
  const made = makeKey({ purpose: 'profile', userId: 'u', id: newId(), now: new Date() })
  assert.ok(made.ok)
  return made.facts.key
}
const put = async (key: string, bytes: Uint8Array = photo) => {
  const object = { Bucket: running.system.bucket, Key: key, Body: bytes, ContentType: 'image/png' }
  const { VersionId = '' } = await s3.send(new PutObjectCommand(object))
  assert.notEqual(VersionId, '')
  return VersionId
}
const removeOne = async (key: string, VersionId?: string) => {
  const removal = { Bucket: running.system.bucket, Key: key, ...(VersionId && { VersionId }) }
  return (await s3.send(new DeleteObjectCommand(removal))).VersionId
}

/** Runs it, waits until what it sent is settled, and gives the numbers sent and passed over. */
const reconcile = async () => {
  const { code, output } = await runTool('reconcile', ['--min-age-minutes', '0'], { DATA_DIR: dataPath })
  assert.equal(code, 0, output)
  const { system } = running
  await eventually(async () => (await countMessages(system, system.uploads_queue_url)) === 0, 'the queue to be empty')
  const count = (what: string) => Number(new RegExp(String.raw`^ *(\d+)  ${what}`, 'm').exec(output)?.[1])
  return { sent: count('sent'), judged: count('with verdict') }
}

const idOf = (type: string, key: ObjectKey, versionId: string) =>
  objectEventId(type, { bucket: running.system.bucket, key, versionId, etag: '', lastModified: new Date(0) })
const idsOf = async (key: string) =>
  (await readEvents(running.system)).filter(({ subject }) => subject === key).map(({ id }) => id)

test('of each key in a bucket with versions the newest is looked at, under the id of its version, and once', async () => {
  const [twice, liar, hidden, gone] = [newKey(), newKey(), newKey(), newKey()]
  await put(twice, pdfBytes(1))
  const newest = await put(twice)
  const lie = await put(liar, pdfBytes(2))
  await put(hidden)
  await removeOne(hidden)
  await removeOne(gone, await put(gone))

  assert.deepEqual(await reconcile(), { sent: 2, judged: 0 })
  assert.deepEqual(await idsOf(twice), [idOf('image.uploaded', twice, newest)])
  assert.deepEqual(await idsOf(liar), [idOf('image.rejected', liar, lie)])
  assert.deepEqual([await idsOf(hidden), await idsOf(gone)], [[], []])
  assert.deepEqual(await reconcile(), { sent: 0, judged: 2 })
})

test('a version that is written over one with a verdict, or shows again when a newer goes, is looked at', async () => {
  const key = newKey()
  const first = await put(key)
  assert.equal((await reconcile()).sent, 1)
  const second = await put(key, await goodPhoto('image/png', { seed: 2 }))
  assert.equal((await reconcile()).sent, 1)
  await removeOne(key, second)
  assert.equal((await reconcile()).sent, 1)
  assert.equal((await reconcile()).sent, 0)
  const [one, two] = [idOf('image.uploaded', key, first), idOf('image.uploaded', key, second)]
  assert.deepEqual(await idsOf(key), [one, two, one])
})

test('an object that shows again when its marker goes keeps its verdict, and makes no event', async () => {
  const key = newKey()
  const version = await put(key)
  assert.equal((await reconcile()).sent, 1)
  const marker = await removeOne(key)
  assert.equal((await reconcile()).sent, 0)
  await removeOne(key, marker)
  assert.equal((await reconcile()).sent, 0)
  assert.deepEqual(await idsOf(key), [idOf('image.uploaded', key, version)])
})
