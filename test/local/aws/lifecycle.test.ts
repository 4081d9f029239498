import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'

import {
  DeleteObjectCommand,
  GetBucketLifecycleConfigurationCommand,
  type LifecycleRule,
  ListObjectsV2Command,
  PutBucketLifecycleConfigurationCommand,
  type S3Client,
} from '@aws-sdk/client-s3'

import { Bucket, drainRecords, drainShort, openTold } from './told.ts'
import { listAll, put, read, setVersioning } from './versions.ts'

const dayMs = 86_400_000
const never = Date.parse('9999-01-01')

const configure = (s3: S3Client, ...Rules: LifecycleRule[]) =>
  s3.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules } }))
const rule = (prefix: string, more: Partial<LifecycleRule>): LifecycleRule => ({
  Status: 'Enabled',
  Filter: { Prefix: prefix },
  ...more,
})
const list = async (s3: S3Client) => (await s3.send(new ListObjectsV2Command({ Bucket }))).Contents ?? []
const keys = async (s3: S3Client) => (await list(s3)).map(({ Key }) => Key)
/** The midnight at which S3 takes what was stored at that time. */
const expiryOf = (stored: Date | undefined, days: number) =>
  Math.ceil(((stored?.getTime() ?? NaN) + days * dayMs) / dayMs) * dayMs

test('an object goes at the midnight after its days, by prefix, and is told of as expired', async (context) => {
  const told = await openTold(context)
  const { s3, aws, directory } = told
  for (const key of ['chat/a', 'chat/b', 'scans/a', 'profiles/a']) await put(s3, key)
  await configure(
    s3,
    rule('chat/', { Expiration: { Days: 7 } }),
    rule('scans/', { Expiration: { Days: 30 } }),
    rule('', { AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } }),
  )
  await drainShort(told)
  const stored = new Map((await list(s3)).map(({ Key, LastModified }) => [Key, LastModified]))
  const chatMs = expiryOf(stored.get('chat/a'), 7)
  assert.equal(await aws.runLifecycle(Date.now()), 0)
  assert.equal(await aws.runLifecycle(chatMs - 1), 0)
  assert.equal(await aws.runLifecycle(chatMs), 2)
  assert.equal(await aws.runLifecycle(chatMs), 0)
  assert.deepEqual(await keys(s3), ['profiles/a', 'scans/a'])
  assert.equal(await aws.runLifecycle(expiryOf(stored.get('scans/a'), 30)), 1)
  assert.equal(await aws.runLifecycle(never), 0)
  assert.deepEqual(await keys(s3), ['profiles/a'])
  assert.equal((await readdir(join(directory, 'blobs'))).length, 2, 'one blob and the staging folder')

  const records = await drainRecords(told)
  assert.deepEqual(
    records.map(({ eventName, eventVersion, s3: { object } }) => [
      eventName,
      eventVersion,
      object.key,
      object.versionId,
    ]),
    ['chat/a', 'chat/b', 'scans/a'].map((key) => ['LifecycleExpiration:Delete', '2.3', key, undefined]),
  )
  assert.deepEqual(records[0]?.userIdentity, { principalId: 's3.amazonaws.com' })
})

test('in a versioned bucket an expired object is marked, and its old versions go by a rule of their own', async (context) => {
  const told = await openTold(context)
  const { s3, aws } = told
  await setVersioning(s3, 'Enabled')
  const { VersionId: first } = await put(s3, 'a', 'first')
  const { VersionId: second } = await put(s3, 'a', 'second')
  await configure(s3, rule('', { Expiration: { Days: 1 } }))
  await drainShort(told)
  assert.equal(await aws.runLifecycle(never), 1)
  assert.deepEqual(await keys(s3), [])
  const [marker] = (await listAll(s3)).filter((each) => each.marker)
  assert.ok(marker?.isLatest)
  assert.deepEqual(await drainShort(told), [['LifecycleExpiration:DeleteMarkerCreated', 'a', marker.version]])
  assert.equal(await aws.runLifecycle(never), 0, 'a marker over versions stays')
  assert.equal(await read(s3, 'a', first), 'first')

  await configure(s3, rule('', { Expiration: { Days: 1 }, NoncurrentVersionExpiration: { NoncurrentDays: 1 } }))
  assert.equal(await aws.runLifecycle(Date.now()), 0)
  assert.equal(await aws.runLifecycle(never), 2)
  assert.deepEqual(await drainShort(told), [
    ['LifecycleExpiration:Delete', 'a', second],
    ['LifecycleExpiration:Delete', 'a', first],
  ])
  // Now nothing lies under the marker.
  assert.equal(await aws.runLifecycle(never), 1)
  assert.deepEqual(await drainShort(told), [['LifecycleExpiration:Delete', 'a', marker.version]])
  assert.deepEqual(await listAll(s3), [])
})

test('while versioning is suspended an expired object is replaced by the marker null', async (context) => {
  const told = await openTold(context)
  const { s3, aws } = told
  await put(s3, 'a')
  await setVersioning(s3, 'Suspended')
  await configure(s3, rule('', { Expiration: { Days: 1 } }))
  assert.equal(await aws.runLifecycle(never), 1)
  assert.deepEqual(await listAll(s3), [{ key: 'a', version: 'null', isLatest: true, marker: true }])
  assert.deepEqual((await drainShort(told)).at(-1), ['LifecycleExpiration:DeleteMarkerCreated', 'a', undefined])
})

test('the marker of a suspended bucket outlives the version null that went in the same run', async (context) => {
  const { s3, aws } = await openTold(context)
  await put(s3, 'a', 'null')
  await setVersioning(s3, 'Enabled')
  const { VersionId } = await put(s3, 'a', 'current')
  await setVersioning(s3, 'Suspended')
  await configure(s3, rule('', { Expiration: { Days: 1 }, NoncurrentVersionExpiration: { NoncurrentDays: 1 } }))
  assert.equal(await aws.runLifecycle(never), 2)
  assert.deepEqual(
    (await listAll(s3)).map(({ version, isLatest, marker }) => [version, isLatest, marker]),
    [
      [VersionId, false, false],
      ['null', true, true],
    ],
  )
})

test('a rule may name a date, or only markers that nothing lies under, and may be off', async (context) => {
  const { s3, aws } = await openTold(context)
  await setVersioning(s3, 'Enabled')
  for (const key of ['dated', 'off', 'marked']) await put(s3, key)
  for (const Key of ['marked', 'alone']) await s3.send(new DeleteObjectCommand({ Bucket, Key }))
  const date = new Date('2031-01-01T00:00:00Z')
  await configure(
    s3,
    rule('dated', { Expiration: { Date: date } }),
    rule('off', { Status: 'Disabled', Expiration: { Days: 1 } }),
    rule('', { Expiration: { ExpiredObjectDeleteMarker: true } }),
  )
  assert.equal(await aws.runLifecycle(date.getTime() - 1), 1)
  assert.deepEqual(
    (await listAll(s3)).map(({ key, marker }) => [key, marker]),
    [
      ['dated', false],
      ['marked', false],
      ['off', false],
      ['marked', true],
    ],
  )
  assert.equal(await aws.runLifecycle(date.getTime()), 1)
  assert.deepEqual(await keys(s3), ['off'])
})

test('more keys than are judged at once all go', async (context) => {
  const { s3, aws } = await openTold(context)
  const all = Array.from({ length: 501 }, (_, index) => `chat/${index}`)
  for (let from = 0; from < all.length; from += 50) {
    await Promise.all(all.slice(from, from + 50).map((key) => put(s3, key)))
  }
  await put(s3, 'kept')
  await configure(s3, rule('chat/', { Expiration: { Days: 1 } }))
  assert.equal(await aws.runLifecycle(never), all.length)
  assert.deepEqual(await keys(s3), ['kept'])
})

test('a lifecycle that S3 would not take, or that is not built, is refused and changes nothing', async (context) => {
  const { s3 } = await openTold(context)
  const kept = { ID: 'kept', ...rule('', { Expiration: { Days: 3 } }) }
  await configure(s3, kept)
  const days = { Expiration: { Days: 1 } }
  const refused: [string, string, LifecycleRule[]][] = [
    ['no action', 'MalformedXML', [rule('', {})]],
    ['no days', 'InvalidArgument', [rule('', { Expiration: { Days: 0 } })]],
    ['no noncurrent days', 'InvalidArgument', [rule('', { NoncurrentVersionExpiration: { NoncurrentDays: 0 } })]],
    ['days and a date', 'MalformedXML', [rule('', { Expiration: { Days: 1, Date: new Date('2031-01-01') } })]],
    ['a date at noon', 'InvalidArgument', [rule('', { Expiration: { Date: new Date('2031-01-01T12:00:00Z') } })]],
    ['one id twice', 'InvalidArgument', [rule('a', { ID: 'a', ...days }), rule('b', { ID: 'a', ...days })]],
    ['tags', 'NotImplemented', [rule('', { ...days, Filter: { Tag: { Key: 'a', Value: 'b' } } })]],
    ['sizes', 'NotImplemented', [rule('', { ...days, Filter: { And: { Prefix: '', ObjectSizeGreaterThan: 1 } } })]],
    ['a transition', 'NotImplemented', [rule('', { ...days, Transitions: [{ Days: 1, StorageClass: 'GLACIER' }] })]],
  ]
  for (const [name, code, rules] of refused) await assert.rejects(configure(s3, ...rules), { name: code }, name)
  const { Rules } = await s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket }))
  assert.deepEqual(Rules, [kept])
})
