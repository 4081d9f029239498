import assert from 'node:assert/strict'
import { test } from 'node:test'

import { DeleteObjectCommand, DeleteObjectsCommand, type S3Client } from '@aws-sdk/client-s3'

import { Bucket, drainShort, openTold } from './told.ts'
import { listAll, put, read, setVersioning } from './versions.ts'

const wrong = '"00000000000000000000000000000000"'
const remove = (s3: S3Client, Key: string, IfMatch: string, VersionId?: string) =>
  s3.send(new DeleteObjectCommand({ Bucket, Key, IfMatch, VersionId }))

test('a delete on a condition removes the object that is meant, and no other', async (context) => {
  const aws = await openTold(context)
  const { s3 } = aws
  const { ETag = '' } = await put(s3, 'a', 'first')
  await put(s3, 'a', 'second')
  for (const etag of [ETag, wrong, 'W/"x"']) await assert.rejects(remove(s3, 'a', etag), { name: 'PreconditionFailed' })
  assert.equal(await read(s3, 'a'), 'second')
  assert.deepEqual((await drainShort(aws)).length, 2, 'a refused delete tells nothing')
  for (const form of [(etag: string) => etag, (etag: string) => etag.replaceAll('"', ''), () => '*']) {
    const { ETag: etag = '' } = await put(s3, 'a', 'third')
    const { $metadata } = await remove(s3, 'a', form(etag))
    assert.equal($metadata.httpStatusCode, 204)
    assert.deepEqual(await listAll(s3), [])
  }
})

test('a delete on a condition finds nothing where nothing is', async (context) => {
  const { s3 } = await openTold(context)
  for (const condition of ['*', wrong]) await assert.rejects(remove(s3, 'none', condition), { name: 'NoSuchKey' })
  await setVersioning(s3, 'Enabled')
  const { ETag = '', VersionId } = await put(s3, 'a')
  for (const condition of ['*', wrong]) await assert.rejects(remove(s3, 'none', condition), { name: 'NoSuchKey' })
  await s3.send(new DeleteObjectCommand({ Bucket, Key: 'a' }))
  for (const condition of ['*', ETag, wrong]) await assert.rejects(remove(s3, 'a', condition), { name: 'NoSuchKey' })
  assert.deepEqual(
    (await listAll(s3)).map(({ version, marker }) => marker || version),
    [VersionId, true],
  )
})

test('in a versioned bucket the current version is judged, and the delete makes a marker', async (context) => {
  const { s3 } = await openTold(context)
  await setVersioning(s3, 'Enabled')
  const { ETag: old = '' } = await put(s3, 'a', 'first')
  const { ETag = '', VersionId } = await put(s3, 'a', 'second')
  await assert.rejects(remove(s3, 'a', old), { name: 'PreconditionFailed' })
  await assert.rejects(remove(s3, 'a', old, VersionId), { name: 'PreconditionFailed' })
  assert.equal((await remove(s3, 'a', ETag, VersionId)).VersionId, VersionId)
  assert.equal(await read(s3, 'a'), 'first')
  assert.equal((await remove(s3, 'a', old)).DeleteMarker, true)
})

test('an entry of a batch may have a condition of its own', async (context) => {
  const { s3 } = await openTold(context)
  const { ETag } = await put(s3, 'a')
  await put(s3, 'b')
  const Objects = [
    { Key: 'a', ETag },
    { Key: 'b', ETag: wrong },
    { Key: 'c', ETag: '*' },
  ]
  const { Deleted, Errors } = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }))
  assert.deepEqual(
    [Deleted?.map(({ Key }) => Key), Errors?.map(({ Key, Code }) => [Key, Code])],
    [
      ['a'],
      [
        ['b', 'PreconditionFailed'],
        ['c', 'NoSuchKey'],
      ],
    ],
  )
  const sized = new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: 'b', Size: 1 }] } })
  await assert.rejects(s3.send(sized), { name: 'NotImplemented' })
  assert.equal(await read(s3, 'b'), 'x')
})
