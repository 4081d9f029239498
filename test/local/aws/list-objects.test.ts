import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'

import {
  CreateBucketCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandInput,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import fc from 'fast-check'

import { openTestAws } from './support.ts'

const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b))

const openWithKeys = async (context: TestContext, keys: readonly string[]) => {
  const aws = await openTestAws(context)
  await aws.s3.send(new CreateBucketCommand({ Bucket: 'images' }))
  await putAll(aws.s3, 'images', keys)
  return aws
}
const putAll = async (s3: S3Client, Bucket: string, keys: readonly string[]) => {
  for (const Key of keys) await s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }))
}
const list = (s3: S3Client, query: Partial<ListObjectsV2CommandInput> = {}) =>
  s3.send(new ListObjectsV2Command({ Bucket: 'images', ...query }))

/** The keys and common prefixes of all pages, each in its order; checks that the pages are as full as they may be. */
const listAll = async (s3: S3Client, query: Partial<ListObjectsV2CommandInput>) => {
  const found = { keys: [] as string[], prefixes: [] as string[] }
  let ContinuationToken: string | undefined
  do {
    const page = await list(s3, { ...query, ContinuationToken })
    const [contents, prefixes] = [page.Contents ?? [], page.CommonPrefixes ?? []]
    found.keys.push(...contents.map(({ Key = '' }) => Key))
    found.prefixes.push(...prefixes.map(({ Prefix = '' }) => Prefix))
    const count = contents.length + prefixes.length
    assert.equal(page.KeyCount, count)
    assert.equal(page.IsTruncated, page.NextContinuationToken !== undefined)
    if (page.IsTruncated) assert.equal(count, query.MaxKeys ?? 1000)
    ContinuationToken = page.NextContinuationToken
  } while (ContinuationToken)
  return found
}

/** What a listing must tell, by the definition of prefix, delimiter and start. */
const expected = (keys: readonly string[], { Prefix = '', Delimiter = '', StartAfter = '' }) => {
  const names = keys
    .filter((key) => key.startsWith(Prefix) && byBytes(key, StartAfter) > 0)
    .map((key) => {
      const end = Delimiter === '' ? -1 : key.indexOf(Delimiter, Prefix.length)
      return end === -1 ? { key } : { prefix: key.slice(0, end + Delimiter.length) }
    })
  return {
    keys: names.flatMap(({ key }) => key ?? []).sort(byBytes),
    // A prefix that the listing is told to start after is told of no more.
    prefixes: [...new Set(names.flatMap(({ prefix }) => prefix ?? []))]
      .filter((prefix) => prefix !== StartAfter)
      .sort(byBytes),
  }
}

test('a listing gives what prefix, delimiter and start ask for, in byte order, whatever the pages', async (context) => {
  const { s3 } = await openTestAws(context)
  // U+FF5E comes before U+1F600 in UTF-8 and after it in UTF-16.
  const text = (max: number) =>
    fc.array(fc.constantFrom('a', 'b', '/', '//', ' ', '+', '%', '~', '\u{FF5E}', '\u{1F600}'), { maxLength: max })
  const joined = (max: number) => text(max).map((parts) => parts.join(''))
  const key = joined(5).filter((each) => each !== '' && !/^\/|^\.\.?$/.test(each))
  let count = 0
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(key, { maxLength: 12 }),
      fc.record({
        Prefix: joined(2),
        Delimiter: fc.constantFrom('', '/', '//', '\u{1F600}', 'b'),
        StartAfter: joined(3),
        MaxKeys: fc.integer({ min: 1, max: 4 }),
      }),
      async (keys, query) => {
        const Bucket = `images-${count++}`
        await s3.send(new CreateBucketCommand({ Bucket }))
        await putAll(s3, Bucket, keys)
        assert.deepEqual(await listAll(s3, { ...query, Bucket }), expected(keys, query))
      },
    ),
    { numRuns: 60 },
  )
})

test('a listing on wish encodes keys, prefixes and markers as S3 does', async (context) => {
  const { s3 } = await openWithKeys(context, ["a b/c(1)+~*'ü.png", 'a b/d e/f', 'a b/d e/g'])
  const page = await list(s3, {
    Prefix: 'a b/',
    Delimiter: ' ',
    StartAfter: 'a b/a',
    EncodingType: 'url',
  })
  assert.deepEqual(
    [page.EncodingType, page.Prefix, page.Delimiter, page.StartAfter, page.KeyCount],
    ['url', 'a+b/', '+', 'a+b/a', 2],
  )
  assert.deepEqual(
    page.Contents?.map(({ Key }) => Key),
    ['a+b/c%281%29%2B%7E*%27%C3%BC.png'],
  )
  assert.deepEqual(
    page.CommonPrefixes?.map(({ Prefix }) => Prefix),
    ['a+b/d+'],
  )
  await assert.rejects(list(s3, { EncodingType: 'base64' as 'url' }), { name: 'InvalidArgument' })
})

test('a listing says what it was asked, and what an object is', async (context) => {
  const { s3 } = await openWithKeys(context, ['a', 'b', 'c'])
  const page = await list(s3, { MaxKeys: 1, StartAfter: 'a', FetchOwner: true })
  const { $metadata, Contents, NextContinuationToken, ...told } = page
  assert.equal($metadata.httpStatusCode, 200)
  const same = { Name: 'images', Prefix: '', MaxKeys: 1, KeyCount: 1, IsTruncated: true, StartAfter: 'a' }
  assert.deepEqual(told, same)
  const { LastModified, ...object } = Contents?.[0] ?? {}
  assert.ok(LastModified)
  const ETag = '"9dd4e461268c8034f5c8564e155c67a6"'
  const Owner = { ID: 'local-owner' }
  assert.deepEqual(object, { Key: 'b', ETag, Size: 1, StorageClass: 'STANDARD', Owner })
  const next = await list(s3, { MaxKeys: 1, StartAfter: 'a', ContinuationToken: NextContinuationToken })
  assert.deepEqual([next.Contents?.[0]?.Key, next.Contents?.[0]?.Owner, next.IsTruncated], ['c', undefined, false])
  assert.equal(next.ContinuationToken, NextContinuationToken)
})

test('the count of keys is bounded by a thousand, and may be nothing', async (context) => {
  const { s3 } = await openWithKeys(context, ['a'])
  const none = await list(s3, { MaxKeys: 0 })
  assert.deepEqual([none.KeyCount, none.IsTruncated, none.NextContinuationToken], [0, false, undefined])
  for (const MaxKeys of [1000, 1001, 2 ** 31 - 1]) assert.equal((await list(s3, { MaxKeys })).MaxKeys, 1000)
  for (const MaxKeys of [-1, 2 ** 31, 1.5]) await assert.rejects(list(s3, { MaxKeys }), { name: 'InvalidArgument' })
  for (const ContinuationToken of ['', 'no token'])
    await assert.rejects(list(s3, { ContinuationToken }), { name: 'InvalidArgument' })
})
