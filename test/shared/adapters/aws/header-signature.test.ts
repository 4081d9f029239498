import assert from 'node:assert/strict'
import { createHash, createHmac, hash } from 'node:crypto'
import { suite, test } from 'node:test'

import { SignatureV4 } from '@smithy/signature-v4'
import fc from 'fast-check'

import type { AwsCredentials } from '#shared/adapters/aws/credentials.ts'
import { signHeaders } from '#shared/adapters/aws/header-signature.ts'
import { encodePart, encodePath, encodeQuery } from '#shared/adapters/aws/uri.ts'
import { given } from '#shared/domain/given.ts'
import { RefusalError } from '#shared/ports/failures.ts'

/** What the SDK's signer asks of a hash. */
class Sha256 {
  readonly #hash
  constructor(secret?: string | Uint8Array | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret as string | Uint8Array) // of these alone
  }
  update(data: Uint8Array) {
    this.#hash.update(data)
  }
  digest() {
    return Promise.resolve(new Uint8Array(this.#hash.digest()))
  }
  reset() {
    throw new Error('the signer never asks for it')
  }
}

type Case = {
  method: string
  path: string
  query: Record<string, string>
  headers: Record<string, string>
  body: string | undefined
  now: Date
}

/** The headers that the SDK's own signer sends. */
const signBySdk = async (
  { method, path, query, headers, body, now }: Case,
  credentials: AwsCredentials,
  { region, service }: { region: string; service: string },
) => {
  const { sessionToken, ...pair } = credentials
  const signer = new SignatureV4({
    credentials: { ...pair, ...given({ sessionToken }) },
    region,
    service,
    sha256: Sha256,
    uriEscapePath: service !== 's3',
    applyChecksum: service === 's3',
  })
  const request = { method, protocol: 'https:', hostname: 'x', path, query, headers, body }
  return (await signer.sign(request, { signingDate: now })).headers
}

const anyOf = (characters: string) => fc.constantFrom(...Array.from(characters))
const text = (unit: fc.Arbitrary<string>, most: number) => fc.string({ unit, minLength: 1, maxLength: most })
const token = text(anyOf('abcXYZ019+/=-_'), 40)
const printable = fc.string({ unit: anyOf(' \tabcAZ09"\',;:=*/()-'), maxLength: 20 })
const wellFormed = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter((text) => text.isWellFormed())
/** The SDK's signer loses a parameter named __proto__: it keeps them in a plain object. */
const parameter = wellFormed.filter((name) => name !== '__proto__')
const credentials = fc.record(
  { accessKeyId: token, secretAccessKey: token, sessionToken: token },
  { requiredKeys: ['accessKeyId', 'secretAccessKey'] },
)
const now = fc.date({ min: new Date('2000-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })
const region = fc.constantFrom('us-east-1', 'eu-central-1', 'cn-north-1', 'us-gov-west-1', 'auto')
const host = fc.constantFrom('images.s3.eu-central-1.amazonaws.com', '127.0.0.1:4566', '[::1]:9000', 'sqs.test')
const headerName = text(anyOf('abcz-09'), 12).map((name) => `x-amz-${name}`)

suite('a signature in the headers', () => {
  test("of an S3 request is the SDK's, whatever the key, range, condition, body and date", async () => {
    const request = fc.record({
      method: fc.constantFrom('GET', 'HEAD', 'PUT'),
      key: wellFormed,
      query: fc.dictionary(parameter, wellFormed, { maxKeys: 3 }),
      host,
      range: fc.nat(10 ** 9).map((last) => `bytes=0-${last}`),
      more: fc.dictionary(
        fc.oneof(headerName, fc.constantFrom('if-match', 'content-type', 'if-none-match')),
        printable,
      ),
      body: fc.option(fc.string(), { nil: undefined }),
      now,
    })
    const check = fc.asyncProperty(request, credentials, region, async (made, keys, where) => {
      const { method, key, query, range, more, body, now } = made
      const payloadHash = hash('sha256', body ?? '')
      const headers = { ...more, host: made.host, range, 'x-amz-content-sha256': payloadHash }
      const path = `/bucket/${encodePath(key)}`
      const scope = { region: where, service: 's3' }
      const unsigned = { method, canonicalPath: path, query: encodeQuery(query), headers, payloadHash }
      const signed = signHeaders(unsigned, scope, keys, now)
      assert.deepEqual(signed, await signBySdk({ method, path, query, headers, body, now }, keys, scope))
    })
    await fc.assert(check, { numRuns: 300 })
  })

  test("of an SQS request is the SDK's, also at an endpoint with a path of its own", async () => {
    const request = fc.record({
      path: fc.constantFrom('/', '/base/', '/a%20b/c~d/'),
      host,
      body: fc.string({ unit: 'grapheme' }),
      now,
    })
    const check = fc.asyncProperty(request, credentials, region, async (made, keys, where) => {
      const { path, host, body, now } = made
      const headers = { host, 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': 'AmazonSQS.SendMessage' }
      const scope = { region: where, service: 'sqs' }
      const canonicalPath = encodePath(path)
      const unsigned = { method: 'POST', canonicalPath, query: '', headers, payloadHash: hash('sha256', body) }
      const signed = signHeaders(unsigned, scope, keys, now)
      assert.deepEqual(signed, await signBySdk({ method: 'POST', path, query: {}, headers, body, now }, keys, scope))
    })
    await fc.assert(check, { numRuns: 200 })
  })

  test('changes the request in no way', () => {
    const headers = Object.freeze({ host: 'h' })
    const unsigned = { method: 'GET', canonicalPath: '/', query: '', headers, payloadHash: hash('sha256', '') }
    const keys = { accessKeyId: 'a', secretAccessKey: 'b' }
    const signed = signHeaders(unsigned, { region: 'r', service: 's3' }, keys, new Date('2025-01-02T03:04:05.678Z'))
    assert.equal(signed['x-amz-date'], '20250102T030405Z')
    assert.match(signed['authorization'] ?? '', /^AWS4-HMAC-SHA256 Credential=a\/20250102\/r\/s3\/aws4_request, Signed/)
  })
})

suite('parts of a URI', () => {
  test('are encoded but for unreserved characters', () => {
    assert.equal(
      encodePart("aZ09-._~ !'()*/?#%&=+:@ü🙂"),
      'aZ09-._~%20%21%27%28%29%2A%2F%3F%23%25%26%3D%2B%3A%40%C3%BC%F0%9F%99%82',
    )
  })

  test('keep the slashes of a path, its dots and its empty segments', () => {
    assert.equal(encodePath('/a//../b c/./'), '/a//../b%20c/./')
  })

  test('stand in a query by their encoded names', () => {
    assert.equal(encodeQuery({ b: '2', a: 'x y', ä: '', B: '1' }), '%C3%A4=&B=1&a=x%20y&b=2')
  })

  test('with half of a surrogate pair are refused', () => {
    for (const text of ['\ud800', 'a\udc00b']) assert.throws(() => encodePath(text), RefusalError)
  })
})
