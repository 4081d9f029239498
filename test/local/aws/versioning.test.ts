import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'

import {
  DeleteBucketCommand,
  DeleteObjectCommand,
  type DeleteObjectCommandInput,
  DeleteObjectsCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutBucketVersioningCommand,
  type S3Client,
} from '@aws-sdk/client-s3'

import { Bucket, drainRecords, drainShort, openTold } from './told.ts'
import { listAll, put, read, setVersioning } from './versions.ts'

const openVersioned = async (context: TestContext) => {
  const aws = await openTold(context)
  await setVersioning(aws.s3, 'Enabled')
  return aws
}
const remove = (s3: S3Client, Key: string, more: Partial<DeleteObjectCommandInput> = {}) =>
  s3.send(new DeleteObjectCommand({ Bucket, Key, ...more }))
const head = (s3: S3Client, Key: string, VersionId?: string) =>
  s3.send(new HeadObjectCommand({ Bucket, Key, VersionId }))

/** Status, code and headers of a refusal. */
const refusal = async (call: Promise<unknown>) => {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof Error && '$response' in error)
  const { statusCode, headers } = error.$response as { statusCode: number; headers: Record<string, string> } // the SDK's
  return { status: statusCode, code: error.name, headers }
}
const never = 'A'.repeat(32)

test('versioning is off until it is enabled, then it can only be suspended', async (context) => {
  const { s3 } = await openTold(context)
  const status = async () => (await s3.send(new GetBucketVersioningCommand({ Bucket }))).Status
  assert.equal(await status(), undefined)
  assert.equal((await put(s3, 'a')).VersionId, undefined)
  assert.equal((await head(s3, 'a')).VersionId, undefined)
  for (const wanted of ['Enabled', 'Suspended', 'Enabled'] as const) {
    await setVersioning(s3, wanted)
    assert.equal(await status(), wanted)
  }
  const configure = (VersioningConfiguration: object) =>
    s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }))
  await assert.rejects(configure({}), { name: 'IllegalVersioningConfigurationException' })
  await assert.rejects(configure({ Status: 'Off' }), { name: 'MalformedXML' })
  await assert.rejects(configure({ Status: 'Enabled', MFADelete: 'Enabled' }), { name: 'NotImplemented' })
  const elsewhere = new PutBucketVersioningCommand({ Bucket: 'none', VersioningConfiguration: { Status: 'Enabled' } })
  await assert.rejects(s3.send(elsewhere), { name: 'NoSuchBucket' })
  assert.equal(await status(), 'Enabled')
})

test('every put makes a version that is read by its id, the newest without one', async (context) => {
  const { s3, restart } = await openVersioned(context)
  const ids: string[] = []
  for (const body of ['one', 'two', 'three']) ids.push((await put(s3, 'a', body)).VersionId ?? '')
  assert.equal(new Set(ids).size, 3)
  for (const id of ids) assert.equal(encodeURIComponent(id), id)
  await restart()
  for (const [index, body] of ['one', 'two', 'three'].entries()) {
    assert.equal(await read(s3, 'a', ids[index]), body)
    const { VersionId, ContentLength } = await head(s3, 'a', ids[index])
    assert.deepEqual([VersionId, ContentLength], [ids[index], body.length])
  }
  const { Body, VersionId } = await s3.send(new GetObjectCommand({ Bucket, Key: 'a', Range: 'bytes=0-1' }))
  assert.deepEqual([await Body?.transformToString(), VersionId], ['th', ids[2]])
  assert.deepEqual(
    (await s3.send(new ListObjectsV2Command({ Bucket }))).Contents?.map(({ Key, Size }) => [Key, Size]),
    [['a', 5]],
  )
})

test('a delete hides the object behind a marker, and removing the marker brings it back', async (context) => {
  const aws = await openVersioned(context)
  const { s3 } = aws
  const { VersionId: first } = await put(s3, 'a', 'kept')
  const { VersionId: marker, DeleteMarker, $metadata } = await remove(s3, 'a')
  assert.deepEqual([DeleteMarker, $metadata.httpStatusCode], [true, 204])
  assert.ok(marker && marker !== first)

  for (const call of [() => read(s3, 'a'), () => head(s3, 'a')]) {
    const { status, headers } = await refusal(call())
    assert.equal(status, 404)
    assert.deepEqual([headers['x-amz-delete-marker'], headers['x-amz-version-id']], ['true', marker])
  }
  assert.equal((await refusal(read(s3, 'a'))).code, 'NoSuchKey')
  for (const call of [() => read(s3, 'a', marker), () => head(s3, 'a', marker)]) {
    const { status, headers } = await refusal(call())
    assert.deepEqual([status, headers['allow'], headers['x-amz-delete-marker']], [405, 'DELETE', 'true'])
    assert.ok(Date.parse(headers['last-modified'] ?? '') > 0)
  }
  assert.equal((await refusal(read(s3, 'a', marker))).code, 'MethodNotAllowed')
  assert.equal((await s3.send(new ListObjectsV2Command({ Bucket }))).KeyCount, 0)
  assert.equal(await aws.aws.readObject(Bucket, 'a'), undefined)
  assert.equal(await read(s3, 'a', first), 'kept')

  const removed = await remove(s3, 'a', { VersionId: marker })
  assert.deepEqual([removed.DeleteMarker, removed.VersionId], [true, marker])
  assert.equal(await read(s3, 'a'), 'kept')
  assert.deepEqual(await drainShort(aws), [
    ['ObjectCreated:Put', 'a', first],
    ['ObjectRemoved:DeleteMarkerCreated', 'a', marker],
    ['ObjectRemoved:Delete', 'a', marker],
  ])
})

test('a version goes for good by its id, with its bytes, and the one before it is current again', async (context) => {
  const aws = await openVersioned(context)
  const { s3 } = aws
  const [first, second] = [(await put(s3, 'a', 'first')).VersionId, (await put(s3, 'a', 'second')).VersionId]
  const blobs = async () => (await readdir(join(aws.directory, 'blobs'))).length - 1
  assert.equal(await blobs(), 2)
  const removed = await remove(s3, 'a', { VersionId: second })
  assert.deepEqual([removed.DeleteMarker, removed.VersionId], [undefined, second])
  assert.deepEqual([await read(s3, 'a'), await blobs()], ['first', 1])
  // Again, and what never was: done already, and told to nobody.
  await remove(s3, 'a', { VersionId: second })
  await remove(s3, 'none', { VersionId: never })
  assert.equal((await refusal(read(s3, 'a', second))).code, 'NoSuchVersion')
  await remove(s3, 'a', { VersionId: first })
  assert.deepEqual([await listAll(s3), await blobs()], [[], 0])
  assert.deepEqual(await drainShort(aws), [
    ['ObjectCreated:Put', 'a', first],
    ['ObjectCreated:Put', 'a', second],
    ['ObjectRemoved:Delete', 'a', second],
    ['ObjectRemoved:Delete', 'a', first],
  ])
})

test('deleting a key that never was makes a marker and an event', async (context) => {
  const aws = await openVersioned(context)
  const { VersionId, DeleteMarker } = await remove(aws.s3, 'never')
  assert.equal(DeleteMarker, true)
  const [record, ...others] = await drainRecords(aws)
  assert.deepEqual(others, [])
  assert.equal(record?.eventName, 'ObjectRemoved:DeleteMarkerCreated')
  const { sequencer, ...object } = record.s3.object
  assert.deepEqual(object, { key: 'never', eTag: 'd41d8cd98f00b204e9800998ecf8427e', versionId: VersionId })
  assert.match(sequencer, /^[0-9A-F]{18}$/)
})

test('create only is refused by a current object, not by a marker nor by what lies under it', async (context) => {
  const { s3 } = await openVersioned(context)
  await put(s3, 'a', 'first', '*')
  await assert.rejects(put(s3, 'a', 'second', '*'), { name: 'PreconditionFailed' })
  await remove(s3, 'a')
  await put(s3, 'a', 'third', '*')
  await assert.rejects(put(s3, 'a', 'fourth', '*'), { name: 'PreconditionFailed' })
  assert.deepEqual([await read(s3, 'a'), (await listAll(s3)).length], ['third', 3])
})

test('what was stored before versioning is the version null, and stays when new ones come', async (context) => {
  const aws = await openTold(context)
  const { s3 } = aws
  await put(s3, 'a', 'old')
  await setVersioning(s3, 'Enabled')
  assert.deepEqual([(await head(s3, 'a')).VersionId, await read(s3, 'a', 'null')], ['null', 'old'])
  const { VersionId } = await put(s3, 'a', 'new')
  assert.deepEqual([await read(s3, 'a'), await read(s3, 'a', 'null')], ['new', 'old'])
  assert.deepEqual(
    (await listAll(s3)).map(({ version, isLatest }) => [version, isLatest]),
    [
      [VersionId, true],
      ['null', false],
    ],
  )
  assert.equal((await remove(s3, 'a', { VersionId: 'null' })).VersionId, 'null')
  assert.equal((await refusal(read(s3, 'a', 'null'))).code, 'NoSuchVersion')
  assert.deepEqual(await drainShort(aws), [
    ['ObjectCreated:Put', 'a', undefined],
    ['ObjectCreated:Put', 'a', VersionId],
    ['ObjectRemoved:Delete', 'a', 'null'],
  ])
})

test('while versioning is suspended the version null is replaced, the others stay', async (context) => {
  const aws = await openVersioned(context)
  const { s3, directory } = aws
  const { VersionId: kept } = await put(s3, 'a', 'kept')
  await setVersioning(s3, 'Suspended')
  assert.equal((await put(s3, 'a', 'second')).VersionId, 'null')
  assert.equal((await put(s3, 'a', 'third')).VersionId, 'null')
  assert.deepEqual([await read(s3, 'a'), (await head(s3, 'a')).VersionId], ['third', 'null'])
  assert.equal((await readdir(join(directory, 'blobs'))).length, 3, 'two blobs and the staging folder')
  const marker = await remove(s3, 'a')
  assert.deepEqual([marker.DeleteMarker, marker.VersionId], [true, 'null'])
  assert.deepEqual(
    (await listAll(s3)).map(({ version, isLatest, marker: isMarker }) => [version, isLatest, isMarker]),
    [
      [kept, false, false],
      ['null', true, true],
    ],
  )
  await remove(s3, 'a', { VersionId: 'null' })
  assert.equal(await read(s3, 'a'), 'kept')
  assert.deepEqual(await drainShort(aws), [
    ['ObjectCreated:Put', 'a', kept],
    ['ObjectCreated:Put', 'a', undefined],
    ['ObjectCreated:Put', 'a', undefined],
    ['ObjectRemoved:DeleteMarkerCreated', 'a', undefined],
    ['ObjectRemoved:Delete', 'a', undefined],
  ])
})

test('a version that is no version, or of a bucket without any, is an invalid argument', async (context) => {
  const { s3 } = await openTold(context)
  await put(s3, 'a')
  const invalid = { name: 'InvalidArgument' }
  await assert.rejects(read(s3, 'a', never), invalid)
  await assert.rejects(remove(s3, 'a', { VersionId: never }), invalid)
  assert.equal((await refusal(read(s3, 'none', 'null'))).code, 'NoSuchKey')
  await setVersioning(s3, 'Enabled')
  for (const version of ['', '1', `${never}A`, '../../../../../../../../../../..']) {
    await assert.rejects(read(s3, 'a', version), invalid, version)
    await assert.rejects(remove(s3, 'a', { VersionId: version }), invalid, version)
  }
  assert.equal((await refusal(head(s3, 'a', never))).status, 404)
  assert.equal((await refusal(read(s3, 'a', never))).code, 'NoSuchVersion')
  assert.equal(await read(s3, 'a'), 'x')
})

test('a batch of deletes answers for each entry what it did', async (context) => {
  const { s3 } = await openVersioned(context)
  const { VersionId: gone } = await put(s3, 'a')
  const { VersionId: marker } = await remove(s3, 'b')
  await put(s3, 'c')
  const Objects = [
    { Key: 'a', VersionId: gone },
    { Key: 'b', VersionId: marker },
    { Key: 'c' },
    { Key: 'd', VersionId: 'no version' },
    { Key: 'e', VersionId: never },
  ]
  const { Deleted, Errors } = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }))
  const created = Deleted?.find(({ Key }) => Key === 'c')?.DeleteMarkerVersionId
  assert.match(created ?? '', /^[\w.]{32}$/)
  assert.deepEqual(Deleted, [
    { Key: 'a', VersionId: gone },
    { Key: 'b', VersionId: marker, DeleteMarker: true, DeleteMarkerVersionId: marker },
    { Key: 'c', DeleteMarker: true, DeleteMarkerVersionId: created },
    { Key: 'e', VersionId: never },
  ])
  assert.deepEqual(
    Errors?.map(({ Key, VersionId, Code }) => [Key, VersionId, Code]),
    [['d', 'no version', 'NoSuchVersion']],
  )
  assert.deepEqual(
    (await listAll(s3)).map(({ key, marker: isMarker }) => [key, isMarker]),
    [
      ['c', false],
      ['c', true],
    ],
  )
})

test('a bucket is only empty without versions and markers', async (context) => {
  const { s3 } = await openVersioned(context)
  const { VersionId } = await remove(s3, 'never')
  await assert.rejects(s3.send(new DeleteBucketCommand({ Bucket })), { name: 'BucketNotEmpty' })
  await remove(s3, 'never', { VersionId })
  await s3.send(new DeleteBucketCommand({ Bucket }))
})
