import assert from 'node:assert/strict'
import { createHash, randomBytes, randomInt } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'

import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'

import { eventually } from '../../support/eventually.ts'
import { prepareDirectory, QueueUrl, startService } from './service-process.ts'
import { Bucket, drainRecords } from './told.ts'
import { setVersioning } from './versions.ts'

const rounds = 2
const writers = 6
const notificationFaults = { seed: 7, duplicate: 0.3, maxDelayMs: 1500, reorder: true }

/** What was acknowledged, as `kind version`: made and not removed since, and removed for good. */
type Ledger = { made: Set<string>; removed: Set<string> }

/** Puts a key twice, marks it as deleted and removes the first version, again and again until the service dies. */
const writeUntilKilled = async (s3: S3Client, prefix: string, ledger: Ledger): Promise<void> => {
  const note = (kind: string, version: string | undefined) => ledger.made.add(`${kind} ${version ?? ''}`)
  try {
    for (let count = 0; ; count += 1) {
      const Key = `${prefix}/${count}`
      const put = () => s3.send(new PutObjectCommand({ Bucket, Key, Body: randomBytes(randomInt(1, 50_000)) }))
      const { VersionId } = await put()
      note('ObjectCreated:Put', VersionId)
      note('ObjectCreated:Put', (await put()).VersionId)
      note('ObjectRemoved:DeleteMarkerCreated', (await s3.send(new DeleteObjectCommand({ Bucket, Key }))).VersionId)
      // Whether it is removed is not known until the answer comes.
      ledger.made.delete(`ObjectCreated:Put ${VersionId ?? ''}`)
      await s3.send(new DeleteObjectCommand({ Bucket, Key, VersionId }))
      ledger.removed.add(`ObjectRemoved:Delete ${VersionId ?? ''}`)
    }
  } catch {
    return
  }
}

/** All versions and markers as `kind version`; each version is read and its bytes are checked. */
const readStored = async (s3: S3Client): Promise<Set<string>> => {
  const stored = new Set<string>()
  let marker: object = {}
  for (let more = true; more;) {
    const page = await s3.send(new ListObjectVersionsCommand({ Bucket, MaxKeys: 100, ...marker }))
    for (const { Key, VersionId, ETag } of page.Versions ?? []) {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key, VersionId }))
      const bytes = (await Body?.transformToByteArray()) ?? ''
      assert.equal(`"${createHash('md5').update(bytes).digest('hex')}"`, ETag, `${Key ?? ''} is whole`)
      stored.add(`ObjectCreated:Put ${VersionId ?? ''}`)
    }
    for (const { VersionId } of page.DeleteMarkers ?? [])
      stored.add(`ObjectRemoved:DeleteMarkerCreated ${VersionId ?? ''}`)
    marker = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker }
    more = page.IsTruncated === true
  }
  return stored
}

test(
  'a kill loses no version, no marker and no notification that is still delayed, and no bytes stay behind',
  { timeout: 180_000 },
  async (context) => {
    const directory = await prepareDirectory(context, ['s3:ObjectCreated:*', 's3:ObjectRemoved:*'])
    const ledger: Ledger = { made: new Set(), removed: new Set() }
    for (let round = 0; round < rounds; round += 1) {
      const { s3, kill } = await startService(context, directory, { notificationFaults })
      await setVersioning(s3, 'Enabled')
      const killAfter = ledger.removed.size + randomInt(10, 30)
      const all = Array.from({ length: writers }, (_, writer) => writeUntilKilled(s3, `${round}/${writer}`, ledger))
      await eventually(() => ledger.removed.size >= killAfter, `${killAfter} acknowledged removals`, 60_000)
      await kill()
      await Promise.all(all)
    }
    const { s3, sqs, kill } = await startService(context, directory)
    const stored = await readStored(s3)
    assert.deepEqual(
      [...ledger.made].filter((each) => !stored.has(each)),
      [],
      'what was made is there',
    )
    for (const each of ledger.removed) assert.ok(!stored.has(each.replace('ObjectRemoved:Delete', 'ObjectCreated:Put')))
    const blobs = (await readdir(join(directory, 'blobs'))).filter((name) => name !== 'tmp')
    assert.equal(blobs.length, [...stored].filter((each) => each.startsWith('ObjectCreated')).length)

    const wanted = [...stored, ...ledger.removed]
    const told = new Set<string>()
    await eventually(async () => {
      for (const {
        eventName,
        s3: { object },
      } of await drainRecords({ sqs, QueueUrl }))
        told.add(`${eventName} ${object.versionId ?? ''}`)
      return wanted.every((each) => told.has(each))
    }, `${wanted.length} notifications`)
    await kill()
  },
)
