import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'

import {
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketLifecycleConfigurationCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  PutBucketLifecycleConfigurationCommand,
  PutObjectAclCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'

import { openTestAws, testS3Client } from './support.ts'

const Bucket = 'images'

const openWithBucket = async (context: TestContext) => {
  const aws = await openTestAws(context)
  await aws.s3.send(new CreateBucketCommand({ Bucket }))
  return aws
}
const put = (s3: S3Client, Key: string, Body = 'x') => s3.send(new PutObjectCommand({ Bucket, Key, Body }))
const status = (httpStatusCode: number) => (error: unknown) => {
  assert.ok(error instanceof Error && '$metadata' in error)
  assert.partialDeepStrictEqual(error.$metadata, { httpStatusCode })
  return true
}

test('buckets are created, found, listed and deleted when they are empty', async (context) => {
  const { s3, url } = await openWithBucket(context)
  await s3.send(new CreateBucketCommand({ Bucket }))
  await s3.send(new HeadBucketCommand({ Bucket }))
  assert.deepEqual(
    (await s3.send(new ListBucketsCommand({}))).Buckets?.map(({ Name }) => Name),
    [Bucket],
  )
  await put(s3, 'a')
  await assert.rejects(s3.send(new DeleteBucketCommand({ Bucket })), { name: 'BucketNotEmpty' })
  await s3.send(new DeleteObjectCommand({ Bucket, Key: 'a' }))
  await s3.send(new DeleteBucketCommand({ Bucket }))
  await assert.rejects(s3.send(new HeadBucketCommand({ Bucket })), { name: 'NotFound' })
  await assert.rejects(put(s3, 'a'), { name: 'NoSuchBucket' })
  await assert.rejects(s3.send(new CreateBucketCommand({ Bucket: 'No_Bucket' })), { name: 'InvalidBucketName' })
  const elsewhere = new CreateBucketCommand({
    Bucket: 'other',
    CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' },
  })
  await assert.rejects(testS3Client(url).send(elsewhere), { name: 'IllegalLocationConstraintException' })
})

test('an object keeps its headers, metadata and checksum', async (context) => {
  const { s3 } = await openWithBucket(context)
  const sent = {
    ContentType: 'image/png',
    CacheControl: 'no-cache',
    ContentDisposition: 'inline',
    Metadata: { traceparent: '00-a  b' },
  }
  const { ETag } = await s3.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'hello', ...sent }))
  const { Body, $metadata, ...got } = await s3.send(new GetObjectCommand({ Bucket, Key: 'a' }))
  assert.equal(await Body?.transformToString(), 'hello')
  assert.partialDeepStrictEqual(got, { ...sent, ETag, ContentLength: 5, ChecksumCRC32: 'NhCmhg==' })
  const head = await s3.send(new HeadObjectCommand({ Bucket, Key: 'a' }))
  assert.partialDeepStrictEqual(head, { ...sent, ETag, ContentLength: 5 })
  assert.equal(got.LastModified?.getMilliseconds(), 0)
  assert.equal($metadata.httpStatusCode, 200)
})

test('ranges are answered as S3 answers them', async (context) => {
  const { s3 } = await openWithBucket(context)
  await put(s3, 'a', '0123456789')
  await put(s3, 'empty', '')
  const get = (Range: string, Key = 'a') => s3.send(new GetObjectCommand({ Bucket, Key, Range }))
  const cases: [string, string, string | undefined][] = [
    ['bytes=0-3', '0123', 'bytes 0-3/10'],
    ['bytes=8-', '89', 'bytes 8-9/10'],
    ['bytes=-3', '789', 'bytes 7-9/10'],
    ['bytes=-30', '0123456789', 'bytes 0-9/10'],
    ['bytes=5-500', '56789', 'bytes 5-9/10'],
    ['bytes=5-4', '0123456789', undefined],
    ['bytes=0-1,3-4', '0123456789', undefined],
    ['lines=0-1', '0123456789', undefined],
  ]
  for (const [range, text, contentRange] of cases) {
    const { Body, ContentRange, $metadata } = await get(range)
    assert.deepEqual([await Body?.transformToString(), ContentRange], [text, contentRange], range)
    assert.equal($metadata.httpStatusCode, contentRange ? 206 : 200)
  }
  for (const [range, key] of [['bytes=10-'], ['bytes=-0'], ['bytes=0-65535', 'empty']] as const)
    await assert.rejects(get(range, key), { name: 'InvalidRange' })
  const empty = await s3.send(new GetObjectCommand({ Bucket, Key: 'empty' }))
  assert.deepEqual([await empty.Body?.transformToString(), empty.ContentLength], ['', 0])
})

test('conditional reads are answered with 304 and 412', async (context) => {
  const { s3 } = await openWithBucket(context)
  const { ETag } = await put(s3, 'a')
  const get = (condition: object) => s3.send(new GetObjectCommand({ Bucket, Key: 'a', ...condition }))
  const other = '"0"'
  await get({ IfMatch: ETag })
  await get({ IfNoneMatch: other })
  await assert.rejects(get({ IfMatch: other }), { name: 'PreconditionFailed' })
  await assert.rejects(get({ IfNoneMatch: ETag }), status(304))
  await assert.rejects(get({ IfModifiedSince: new Date() }), status(304))
})

test('deleting answers 204 whether or not something was there', async (context) => {
  const { s3 } = await openWithBucket(context)
  for (const key of ['a', 'b', 'c']) await put(s3, key)
  for (const VersionId of [undefined, 'null', undefined]) {
    const { $metadata } = await s3.send(new DeleteObjectCommand({ Bucket, Key: 'a', VersionId }))
    assert.equal($metadata.httpStatusCode, 204)
  }
  await assert.rejects(s3.send(new GetObjectCommand({ Bucket, Key: 'a' })), { name: 'NoSuchKey' })
  const Objects = [{ Key: 'b' }, { Key: 'none', VersionId: 'null' }, { Key: 'c', VersionId: 'other' }]
  const { Deleted, Errors } = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }))
  assert.deepEqual(
    Deleted?.map(({ Key }) => Key),
    ['b', 'none'],
  )
  assert.deepEqual(
    Errors?.map(({ Key, Code }) => [Key, Code]),
    [['c', 'NoSuchVersion']],
  )
  assert.deepEqual(
    (await s3.send(new ListObjectsV2Command({ Bucket }))).Contents?.map(({ Key }) => Key),
    ['c'],
  )
})

test('a lifecycle is kept as it was given', async (context) => {
  const { s3 } = await openWithBucket(context)
  await assert.rejects(s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket })), {
    name: 'NoSuchLifecycleConfiguration',
  })
  const Rules = [{ ID: 'scans', Status: 'Enabled' as const, Filter: { Prefix: 'scans/' }, Expiration: { Days: 30 } }]
  await s3.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules } }))
  assert.deepEqual((await s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket }))).Rules, Rules)
  const noDays = [{ ...Rules[0], Status: 'Enabled' as const, Expiration: { Days: 0 } }]
  await assert.rejects(
    s3.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules: noDays } })),
    { name: 'InvalidArgument' },
  )
})

test('what is not built is refused with 501 and changes nothing', async (context) => {
  const { s3 } = await openWithBucket(context)
  await put(s3, 'a', 'original')
  const Key = 'a'
  const attempts: [string, () => Promise<unknown>][] = [
    ['a copy', () => s3.send(new CopyObjectCommand({ Bucket, Key, CopySource: 'images/a' }))],
    ['a multipart upload', () => s3.send(new CreateMultipartUploadCommand({ Bucket, Key }))],
    ['tags', () => s3.send(new GetObjectTaggingCommand({ Bucket, Key }))],
    ['an ACL', () => s3.send(new PutObjectAclCommand({ Bucket, Key, ACL: 'private' }))],
    ['a put with an ACL', () => s3.send(new PutObjectCommand({ Bucket, Key, ACL: 'private', Body: 'x' }))],
    ['a put with tags', () => s3.send(new PutObjectCommand({ Bucket, Key, Tagging: 'a=b', Body: 'x' }))],
    ['a put if-match anything', () => s3.send(new PutObjectCommand({ Bucket, Key, IfMatch: '*', Body: 'x' }))],
    [
      'a put with another checksum',
      () => s3.send(new PutObjectCommand({ Bucket, Key, ChecksumAlgorithm: 'CRC32C', Body: 'x' })),
    ],
    ['a part', () => s3.send(new GetObjectCommand({ Bucket, Key, PartNumber: 1 }))],
    [
      'another type for the answer',
      () => s3.send(new GetObjectCommand({ Bucket, Key, ResponseContentType: 'text/html' })),
    ],
    ['the first listing', () => s3.send(new ListObjectsCommand({ Bucket }))],
  ]
  for (const [name, attempt] of attempts) await assert.rejects(attempt(), status(501), name)
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }))
  assert.equal(await Body?.transformToString(), 'original')
})

test('a put if-match replaces the object with that etag, and none else', async (context) => {
  const { s3 } = await openWithBucket(context)
  const replace = (Key: string, IfMatch: string, Body: string) =>
    s3.send(new PutObjectCommand({ Bucket, Key, IfMatch, Body }))
  await put(s3, 'a', 'first')
  const { ETag = '' } = await s3.send(new HeadObjectCommand({ Bucket, Key: 'a' }))
  await replace('a', ETag, 'second')
  await assert.rejects(replace('a', ETag, 'third'), { name: 'PreconditionFailed' })
  await assert.rejects(replace('never was', ETag, 'third'), { name: 'NoSuchKey' })
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: 'a' }))
  assert.equal(await Body?.transformToString(), 'second')
})

test('objects and configuration survive a restart, and a reader keeps what it has open', async (context) => {
  const { s3, aws, restart } = await openWithBucket(context)
  await put(s3, 'a', 'first')
  const reader = await aws.readObject(Bucket, 'a')
  await put(s3, 'a', 'second')
  const read = await reader?.read().toArray()
  assert.equal(Buffer.concat(read ?? []).toString(), 'first')
  await restart()
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: 'a' }))
  assert.equal(await Body?.transformToString(), 'second')
})
