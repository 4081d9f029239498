import assert from 'node:assert/strict'
import test from 'node:test'

import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3'

import { listObjects } from '#shared/adapters/s3/list-objects.ts'
import { OutageError, RefusalError, SetupError } from '#shared/ports/failures.ts'

import { openLocal, region } from '../aws/local.ts'
import { openScriptedS3, s3Error, type ScriptedAnswer } from './scripted-s3.ts'

const never = new AbortController().signal
const keysOf = (listing: AsyncIterable<{ key: string }>) => Array.fromAsync(listing, ({ key }) => key)

test('the local S3 lists what begins with the prefix, whatever its keys hold', async (context) => {
  const { s3, dispose } = await openLocal()
  context.after(dispose)
  const bucket = 'images'
  const CreateBucketConfiguration = { LocationConstraint: region } as const
  await s3.send(new CreateBucketCommand({ Bucket: bucket, CreateBucketConfiguration }))
  const keys = ['a/ +%&<ü\u0001', 'a/1', 'b/1']
  for (const Key of keys) await s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body: 'abc' }))

  assert.deepEqual(await keysOf(listObjects({ client: s3, bucket }, { prefix: '', signal: never })), keys)
  const [object] = await Array.fromAsync(listObjects({ client: s3, bucket }, { prefix: 'b/', signal: never }))
  assert.ok(object)
  assert.ok(Math.abs(object.lastModified.getTime() - Date.now()) < 60_000)
  const etag = '900150983cd24fb0d6963f7d28e17f72' // the MD5 of abc, RFC 1321
  assert.deepEqual({ ...object, lastModified: 0 }, { key: 'b/1', etag, size: 3, lastModified: 0 })
  await assert.rejects(
    keysOf(listObjects({ client: s3, bucket: 'no-such-bucket' }, { prefix: '', signal: never })),
    SetupError,
  )
})

const page = (key: string, { next, encoding = '' }: { next?: string; encoding?: string } = {}): ScriptedAnswer => ({
  status: 200,
  headers: { 'content-type': 'application/xml' },
  body: `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult><IsTruncated>${next !== undefined}</IsTruncated>${
    next ? `<NextContinuationToken>${next}</NextContinuationToken>` : ''
  }${encoding}<Contents><Key>${key}</Key><LastModified>2026-01-01T10:00:00.000Z</LastModified><ETag>"e"</ETag><Size>1</Size></Contents></ListBucketResult>`,
})

const openListing = async (
  ...[context, answer, signal = never]: [...Parameters<typeof openScriptedS3>, signal?: AbortSignal]
) => {
  const { client, requests } = await openScriptedS3(context, answer)
  return { listing: listObjects({ client, bucket: 'images' }, { prefix: '', signal }), requests }
}
const tokenOf = (url: URL) => url.searchParams.get('continuation-token')

test('pages follow each other, and one that fails for a moment is asked for again alone', async (context) => {
  const { listing, requests } = await openListing(context, ({ url }, count) => {
    if (tokenOf(url) === null) return page('k1', { next: 't1' })
    return count <= 4 ? s3Error(503, 'SlowDown') : page('k2')
  })
  assert.deepEqual(await keysOf(listing), ['k1', 'k2'])
  assert.equal(requests.filter((request) => !request.includes('continuation-token')).length, 1)
  assert.ok(requests.every((request) => request.includes('encoding-type=url')))
})

test('keys are decoded only where the store says that it encoded them', async (context) => {
  const encoding = '<EncodingType>url</EncodingType>'
  const { listing: encoded } = await openListing(context, () => page('a+b%2Bc%2Fd', { encoding }))
  assert.deepEqual(await keysOf(encoded), ['a b+c/d'])
  const { listing: raw } = await openListing(context, () => page('a+b%2Bc'))
  assert.deepEqual(await keysOf(raw), ['a+b%2Bc'])
  const { listing: noText } = await openListing(context, () => page('%FF+', { encoding }))
  assert.deepEqual(await keysOf(noText), ['%FF+'])
})

test('a page that is not the last and names no next one ends nothing quietly', async (context) => {
  for (const next of ['', 't1']) {
    const { listing } = await openListing(context, (_, count) => page('k', count > 3 ? {} : { next }))
    await assert.rejects(keysOf(listing), OutageError)
  }
})

test('a listing that is not allowed is refused at once', async (context) => {
  const { listing, requests } = await openListing(context, () => s3Error(403, 'AccessDenied'))
  await assert.rejects(keysOf(listing), RefusalError)
  assert.equal(requests.length, 1)
})

test('an abort ends the listing after the page in hand', async (context) => {
  const stop = new AbortController()
  const answer = ({ url }: { url: URL }) => page('k', { next: `${tokenOf(url) ?? ''}x` })
  const { listing, requests } = await openListing(context, answer, stop.signal)
  await listing.next()
  stop.abort()
  assert.deepEqual(await keysOf(listing), [])
  assert.equal(requests.length, 1)
})
