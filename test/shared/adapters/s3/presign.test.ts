import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import test from 'node:test'

import { S3Client } from '@aws-sdk/client-s3'
import fc from 'fast-check'

import { digestSigner } from '#shared/adapters/aws/digest-signature.ts'
import { openUploadSigner, presignBySdk } from '#shared/adapters/s3/upload-signer.ts'
import { imageTypes } from '#shared/domain/images/image-types.ts'
import type { UploadLocks } from '#shared/ports/object-store.ts'

const base64Of32 = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('base64'))
const hexOf = (length: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`))

/** Keys of ours, and keys that a URL parser must not be asked about: `..` alone as a segment is none. */
const key = fc.oneof(
  fc.stringMatching(/^(scans|chat)\/2026\d{4}\/[\w-]{1,60}\/[0-9a-f]{32}$/),
  fc
    .string({ minLength: 1, maxLength: 40, unit: 'grapheme' })
    .filter((text) => text.isWellFormed() && !text.split('/').some((part) => /^\.{0,2}$/.test(part))),
)

const locks: fc.Arbitrary<UploadLocks> = fc.record(
  {
    key,
    contentType: fc.constantFrom(...imageTypes),
    contentLength: fc.integer({ min: 1, max: 10_485_760 }),
    createOnly: fc.boolean(),
    expiresInSeconds: fc.integer({ min: 1, max: 900 }),
    checksumSha256: base64Of32,
    traceparent: fc.tuple(hexOf(32), hexOf(16)).map(([trace, parent]) => `00-${trace}-${parent}-01`),
  },
  { requiredKeys: ['key', 'contentType', 'contentLength', 'createOnly', 'expiresInSeconds'] },
)

const secretText = fc.stringMatching(/^[A-Za-z0-9/+=]{1,80}$/)
const credentials = fc.record(
  { accessKeyId: fc.stringMatching(/^[A-Z0-9]{4,20}$/), secretAccessKey: secretText, sessionToken: secretText },
  { requiredKeys: ['accessKeyId', 'secretAccessKey'] },
)
const place = fc.record({
  region: fc.constantFrom('us-east-1', 'eu-central-1', 'cn-north-1', 'us-gov-west-1', 'auto'),
  endpoint: fc.constantFrom(
    undefined,
    'http://127.0.0.1:4566',
    'https://s3.example.com',
    'https://uploads.example.com:8443/base',
    'http://[::1]:9000',
    'http://store.example.com:80',
  ),
  forcePathStyle: fc.boolean(),
  bucket: fc.constantFrom('images-1', 'my.images', 'a'.repeat(63)),
})
const moment = fc.date({ min: new Date('2000-01-01'), max: new Date('2099-12-31'), noInvalidDate: true })

test('a URL is the one of the SDK, byte for byte: any key, lock, credentials, region, endpoint, style and time', async () => {
  await fc.assert(
    fc.asyncProperty(
      place,
      credentials,
      fc.array(fc.tuple(locks, moment), { minLength: 1, maxLength: 4 }),
      async (where, keys, uploads) => {
        const { endpoint, bucket, ...rest } = where
        const openClient = (instead?: typeof keys) =>
          new S3Client({
            ...rest,
            ...(endpoint === undefined ? {} : { endpoint }),
            requestChecksumCalculation: 'WHEN_REQUIRED',
            credentials: instead ?? keys,
          })
        const signer = await openUploadSigner(openClient, bucket)
        for (const [each, now] of uploads) {
          const { url } = await signer.sign(each, now)
          assert.equal(url, await presignBySdk(openClient(), bucket, each, now))
        }
      },
    ),
    { numRuns: 150 },
  )
})

test('URLs of one second share what their locks share, and no more', async () => {
  const keys = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'a-secret-of-this-test' }
  const openClient = (credentials = keys) =>
    new S3Client({ region: 'eu-central-1', requestChecksumCalculation: 'WHEN_REQUIRED', credentials })
  const signer = await openUploadSigner(openClient, 'images-1')
  const usual = locks.map(({ key, contentType, contentLength }) => ({
    key,
    contentType,
    contentLength,
    createOnly: true,
  }))
  const oneLife = fc.oneof(usual, locks).map((each): UploadLocks => ({ ...each, expiresInSeconds: 300 }))
  const uploads = fc.array(oneLife, { minLength: 5, maxLength: 20 })
  await fc.assert(
    fc.asyncProperty(uploads, moment, async (asked, now) => {
      for (const each of asked) {
        const { url } = await signer.sign(each, now)
        assert.equal(url, await presignBySdk(openClient(), 'images-1', each, now))
      }
    }),
    { numRuns: 30 },
  )
})

test('a digest is signed after its beginning as node:crypto signs it', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 0, maxLength: 64 }),
      fc.stringMatching(/^[\x20-\x7e\n]{0,300}$/),
      fc.array(hexOf(64), { minLength: 1 }),
      (key, beginning, digests) => {
        const sign = digestSigner(Buffer.from(key), beginning)
        for (const digest of digests) {
          const text = beginning + digest
          assert.equal(sign(digest), createHmac('sha256', key).update(text).digest('hex'))
        }
      },
    ),
  )
})

test('what is no digest is refused, not signed', () => {
  assert.throws(() => digestSigner(Buffer.alloc(32), '')('f'.repeat(63)), /63 characters are no SHA-256/)
})

test('a signer that differs from the SDK does not open', async () => {
  let opened = 0
  const openClient = () => {
    // The third client is the first that is compared with: it signs for another bucket's region.
    const region = ++opened < 3 ? 'eu-central-1' : 'eu-west-1'
    return new S3Client({ region, credentials: { accessKeyId: 'a', secretAccessKey: 'b' } })
  }
  await assert.rejects(openUploadSigner(openClient, 'images-1'), /otherwise than the AWS SDK/)
})
