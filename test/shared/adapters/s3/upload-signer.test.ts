import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, suite, test } from 'node:test'

import { CreateBucketCommand } from '@aws-sdk/client-s3'

import { s3ObjectStore } from '#shared/adapters/s3/object-store.ts'
import { openUploadSigner } from '#shared/adapters/s3/upload-signer.ts'
import type { UploadLocks, UploadSigner } from '#shared/ports/object-store.ts'
import { openLocal, region, type LocalAwsUnderTest } from '../aws/local.ts'

const bucket = 'images'
const body = Buffer.from('these are the bytes')
const checksumSha256 = createHash('sha256').update(body).digest('base64')
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
let keys = 0
const locksOf = (changes: Partial<UploadLocks> = {}): UploadLocks => ({
  key: `scans/20250101/user_40x/${keys++}`,
  contentType: 'image/jpeg',
  contentLength: body.length,
  createOnly: true,
  expiresInSeconds: 300,
  ...changes,
})

const without = (headers: Record<string, string>, name: string) =>
  Object.fromEntries(Object.entries(headers).filter(([each]) => each !== name))

suite('a signed upload', () => {
  let aws: LocalAwsUnderTest
  let signer: UploadSigner
  before(async () => {
    aws = await openLocal()
    const CreateBucketConfiguration = { LocationConstraint: region } as const
    await aws.s3.send(new CreateBucketCommand({ Bucket: bucket, CreateBucketConfiguration }))
    signer = await openUploadSigner(aws.openS3, bucket)
  })
  after(() => aws.dispose())

  const sign = async (locks: UploadLocks, now = new Date()) => signer.sign(locks, now)
  const put = (url: string, headers: Record<string, string>, bytes: Buffer = body) =>
    fetch(url, { method: 'PUT', headers, body: bytes })
  const outcome = async (answer: Promise<Response>) => {
    const { status } = await answer
    return status
  }

  test('signs exactly its locks, and nothing of the SDK stands in the URL', async () => {
    const cases = [
      { locks: locksOf(), signed: 'content-length;content-type;host;if-none-match' },
      {
        locks: locksOf({ checksumSha256 }),
        signed: 'content-length;content-type;host;if-none-match;x-amz-checksum-sha256',
      },
      {
        locks: locksOf({ traceparent }),
        signed: 'content-length;content-type;host;if-none-match;x-amz-meta-traceparent',
      },
      { locks: locksOf({ createOnly: false }), signed: 'content-length;content-type;host' },
    ]
    for (const { locks, signed } of cases) {
      const { url } = await sign(locks, new Date('2025-01-01T12:00:00Z'))
      const parameters = new URL(url).searchParams
      assert.equal(parameters.get('X-Amz-SignedHeaders'), signed)
      assert.equal(parameters.get('X-Amz-Expires'), '300')
      assert.equal(parameters.get('X-Amz-Date'), '20250101T120000Z')
      assert.deepEqual(
        [...parameters.keys()].filter((name) => /crc|checksum|sdk|if-none|content-(length|type)/i.test(name)),
        [],
      )
    }
  })

  test('names what the client must send, and with that it uploads', async () => {
    const locks = locksOf({ checksumSha256, traceparent })
    const { url, method, requiredHeaders } = await sign(locks)
    assert.equal(method, 'PUT')
    assert.deepEqual(requiredHeaders, {
      'Content-Type': 'image/jpeg',
      'If-None-Match': '*',
      'x-amz-checksum-sha256': checksumSha256,
      'x-amz-meta-traceparent': traceparent,
    })
    assert.equal(await outcome(put(url, requiredHeaders)), 200)
    const start = await s3ObjectStore({ client: aws.s3, bucket }).readStart(locks.key, 1000)
    assert.deepEqual([start?.object.contentType, Buffer.from(start?.bytes ?? [])], ['image/jpeg', body])
    assert.deepEqual(start?.object.metadata, { traceparent })
  })

  test('lets nothing through but what it promises', async () => {
    const breaks: Record<string, (headers: Record<string, string>) => [Record<string, string>, Buffer?]> = {
      'a longer body': (headers) => [headers, Buffer.concat([body, Buffer.from('.')])],
      'a shorter body': (headers) => [headers, body.subarray(1)],
      'another type': (headers) => [{ ...headers, 'Content-Type': 'text/html' }],
      'no type': (headers) => [without(headers, 'Content-Type')],
      'no create-only': (headers) => [without(headers, 'If-None-Match')],
      'another condition': (headers) => [{ ...headers, 'If-None-Match': '"abc"' }],
      'no checksum': (headers) => [without(headers, 'x-amz-checksum-sha256')],
      'another checksum': (headers) => [{ ...headers, 'x-amz-checksum-sha256': 'A'.repeat(43) + '=' }],
      'an ACL': (headers) => [{ ...headers, 'x-amz-acl': 'public-read' }],
    }
    const { url, requiredHeaders } = await sign(locksOf({ checksumSha256 }))
    for (const [what, change] of Object.entries(breaks)) {
      assert.equal(await outcome(put(url, ...change({ ...requiredHeaders }))), 403, what)
    }
    const otherBytes = Buffer.from(body.toString().toUpperCase())
    assert.equal(await outcome(put(url, requiredHeaders, otherBytes)), 400, 'other bytes of the same length')
    assert.equal(await outcome(put(url, requiredHeaders)), 200)
  })

  test('creates only: a second PUT is answered with 412', async () => {
    const { url, requiredHeaders } = await sign(locksOf())
    assert.equal(await outcome(put(url, requiredHeaders)), 200)
    assert.equal(await outcome(put(url, requiredHeaders)), 412)
  })

  test('without create only replaces, for stores that know no conditional writes', async () => {
    const { url, requiredHeaders } = await sign(locksOf({ createOnly: false }))
    assert.deepEqual(requiredHeaders, { 'Content-Type': 'image/jpeg' })
    assert.equal(await outcome(put(url, requiredHeaders)), 200)
    assert.equal(await outcome(put(url, requiredHeaders)), 200)
  })

  test('is for one key, one method and its time', async () => {
    const { url, requiredHeaders } = await sign(locksOf())
    assert.equal(await outcome(put(url.replace('/scans/', '/chat/'), requiredHeaders)), 403)
    assert.equal(await outcome(fetch(url, { method: 'GET' })), 403)
    const expired = await sign(locksOf(), new Date(Date.now() - 301_000))
    assert.equal(await outcome(put(expired.url, expired.requiredHeaders)), 403)
    const longer = url.replace('X-Amz-Expires=300', 'X-Amz-Expires=3000')
    assert.equal(await outcome(put(longer, requiredHeaders)), 403)
  })
})
