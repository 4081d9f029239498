import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { type TestContext, test } from 'node:test'

import {
  CreateBucketCommand,
  GetObjectCommand,
  HeadBucketCommand,
  ListBucketsCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import { ListQueuesCommand, SQSClient } from '@aws-sdk/client-sqs'
import fc from 'fast-check'

import { type RawRequest, sendRaw } from './raw.ts'
import { credentials, openTestAws, region, testS3Client } from './support.ts'

const Bucket = 'images'

const openWithBucket = async (context: TestContext) => {
  const aws = await openTestAws(context)
  await aws.s3.send(new CreateBucketCommand({ Bucket }))
  return aws
}
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest()
const hex = (text: string | Buffer) => createHash('sha256').update(text).digest('hex')

/** A signer of this test's own, by the letter of the documentation, for what no SDK would send. */
const sign = (
  url: string,
  canonicalPath: string,
  canonicalQuery: string,
  request: RawRequest,
  extra: Record<string, string> = {},
): RawRequest => {
  const timestamp = new Date().toISOString().replace(/[-:]|\.\d+/g, '')
  const payload = hex(request.body ?? '')
  const headers: Record<string, string> = {
    host: new URL(url).host,
    'x-amz-content-sha256': payload,
    'x-amz-date': timestamp,
    ...extra,
  }
  const names = Object.keys(headers).sort()
  const lines = names.map((name) => `${name}:${(headers[name] ?? '').trim().replace(/ +/g, ' ')}\n`).join('')
  const canonical = [request.method ?? 'GET', canonicalPath, canonicalQuery, lines, names.join(';'), payload].join('\n')
  const scope = [timestamp.slice(0, 8), region, 's3', 'aws4_request']
  const key = scope.reduce<string | Buffer>(hmac, `AWS4${credentials.secretAccessKey}`)
  const signature = hmac(key, `AWS4-HMAC-SHA256\n${timestamp}\n${scope.join('/')}\n${hex(canonical)}`).toString('hex')
  const credential = [credentials.accessKeyId, ...scope].join('/')
  const authorization = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names.join(';')}, Signature=${signature}`
  return { ...request, headers: { ...headers, authorization } }
}

test('the SDK gets back any key that it put, dots and all', async (context) => {
  const { s3 } = await openWithBucket(context)
  const special = [
    'a b',
    'a+b',
    'a%20b',
    '../up',
    'a/../b',
    './a',
    'a//b',
    '/a',
    'a/',
    "!'()*~",
    'ü/漢/😀',
    'a?b=c&d',
    'a#b',
    'a;b:c@d=e,f$g',
  ]
  for (const Key of special) {
    await s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }))
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }))
    assert.equal(await Body?.transformToString(), Key)
  }
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }), async (Key) => {
      await s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }))
      const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }))
      assert.equal(await Body?.transformToString(), Key)
    }),
    { numRuns: 40 },
  )
})

test('a canonical request is built as the documentation says', async (context) => {
  const { url } = await openWithBucket(context)
  const put = { method: 'PUT', body: 'x' }
  const get = {}
  const cases: Record<string, [string, RawRequest]> = {
    'raw brackets in a path': ['/images/a(b)', sign(url, '/images/a%28b%29', '', put)],
    'percent-encoded slashes': ['/images/a%2Fb', sign(url, '/images/a/b', '', put)],
    'lower-case percent-encoding': ['/images/a%2fb%c3%bc', sign(url, '/images/a/b%C3%BC', '', put)],
    'inner and outer spaces of a value': ['/images/c', sign(url, '/images/c', '', put, { 'x-amz-meta-a': '  b   c ' })],
    'parameters out of order': ['/images?prefix=b&list-type=2', sign(url, '/images', 'list-type=2&prefix=b', get)],
    'a plus that is a space': ['/images?list-type=2&prefix=a+b', sign(url, '/images', 'list-type=2&prefix=a%20b', get)],
    'an encoded plus': ['/images?list-type=2&prefix=a%2Bb', sign(url, '/images', 'list-type=2&prefix=a%2Bb', get)],
    'a parameter without a value': ['/images?location', sign(url, '/images', 'location=', get)],
  }
  for (const [name, [target, request]] of Object.entries(cases)) {
    const { status, body } = await sendRaw(url + target, request)
    assert.equal(status, 200, `${name}: ${body}`)
  }
})

test('a header that is sent twice is signed as both values', async (context) => {
  const { url } = await openWithBucket(context)
  const signed = sign(url, '/images/a', '', { method: 'PUT', body: 'x' }, { 'x-amz-meta-a': 'b,c' })
  const twice = await sendRaw(`${url}/images/a`, {
    ...signed,
    headers: { ...signed.headers, 'x-amz-meta-a': ['b', 'c'] },
  })
  assert.equal(twice.status, 200, twice.body)
  const other = await sendRaw(`${url}/images/a`, {
    ...signed,
    headers: { ...signed.headers, 'x-amz-meta-a': ['c', 'b'] },
  })
  assert.equal(other.code, 'SignatureDoesNotMatch')
})

test('a repeated parameter is refused even when it is signed', async (context) => {
  const { url } = await openWithBucket(context)
  const signed = sign(url, '/images', 'list-type=2&prefix=a&prefix=b', {})
  assert.equal((await sendRaw(`${url}/images?list-type=2&prefix=a&prefix=b`, signed)).code, 'InvalidArgument')
})

test('a signed header form is refused when anything about it is wrong', async (context) => {
  const { url } = await openWithBucket(context)
  const put = { method: 'PUT', body: 'x' }
  const good = sign(url, '/images/a', '', put)
  const change = (name: string, from: string | RegExp, to: string): RawRequest => {
    const headers = { ...good.headers }
    headers[name] = String(headers[name]).replace(from, to)
    return { ...good, headers }
  }
  const attacks: Record<string, [RawRequest, number, string]> = {
    'other bytes': [{ ...good, body: 'y' }, 400, 'XAmzContentSHA256Mismatch'],
    'no payload hash': [{ ...good, headers: { ...good.headers, 'x-amz-content-sha256': [] } }, 400, 'InvalidRequest'],
    'a payload hash that is none': [change('x-amz-content-sha256', /.*/, 'abc'), 400, 'InvalidArgument'],
    'an unsigned payload that was signed': [
      change('x-amz-content-sha256', /.*/, 'UNSIGNED-PAYLOAD'),
      403,
      'SignatureDoesNotMatch',
    ],
    'a streaming payload': [
      change('x-amz-content-sha256', /.*/, 'STREAMING-UNSIGNED-PAYLOAD-TRAILER'),
      501,
      'NotImplemented',
    ],
    'an unsigned x-amz header': [
      { ...good, headers: { ...good.headers, 'x-amz-acl': 'private' } },
      403,
      'AccessDenied',
    ],
    'another date than the scope': [
      change('authorization', /\d{8}\//, '20200101/'),
      400,
      'AuthorizationHeaderMalformed',
    ],
    'another region': [change('authorization', region, 'eu-west-1'), 400, 'AuthorizationHeaderMalformed'],
    'another access key': [change('authorization', 'local-key', 'other'), 403, 'InvalidAccessKeyId'],
    'another algorithm': [change('authorization', 'AWS4-HMAC-SHA256', 'AWS4-HMAC-SHA1'), 400, 'InvalidRequest'],
    'a bearer token': [change('authorization', /.*/, 'Bearer abc'), 400, 'InvalidRequest'],
    'no signature': [change('authorization', /, Signature=.*/, ''), 400, 'AuthorizationHeaderMalformed'],
    'a short signature': [change('authorization', /.$/, ''), 400, 'AuthorizationHeaderMalformed'],
    'no date': [{ ...good, headers: { ...good.headers, 'x-amz-date': [] } }, 403, 'AccessDenied'],
    'unsorted signed headers': [
      change('authorization', /host;x-amz-content-sha256/, 'x-amz-content-sha256;host'),
      400,
      'AuthorizationHeaderMalformed',
    ],
    'a session token': [{ ...good, headers: { ...good.headers, 'x-amz-security-token': 'x' } }, 400, 'InvalidToken'],
  }
  for (const [name, [request, status, code]] of Object.entries(attacks)) {
    const answer = await sendRaw(`${url}/images/a`, request)
    assert.deepEqual([answer.status, answer.code], [status, code], `${name}: ${answer.body}`)
  }
  assert.equal((await sendRaw(`${url}/images/a`, good)).status, 200)
})

test('a clock that is more than 15 minutes off is refused, for S3 and SQS', async (context) => {
  const { url, s3, sqs, advance } = await openWithBucket(context)
  advance(14 * 60_000)
  await s3.send(new HeadBucketCommand({ Bucket }))
  advance(2 * 60_000)
  const skewed = testS3Client(url)
  await assert.rejects(skewed.send(new ListBucketsCommand({})), { name: 'RequestTimeTooSkewed' })
  await assert.rejects(sqs.send(new ListQueuesCommand({})), { name: 'SignatureDoesNotMatch' })
  advance(-32 * 60_000)
  await assert.rejects(testS3Client(url).send(new ListBucketsCommand({})), { name: 'RequestTimeTooSkewed' })
})

test('SQS refuses a wrong secret, an unknown key and an anonymous caller', async (context) => {
  const { url } = await openWithBucket(context)
  const send = (given: { accessKeyId: string; secretAccessKey: string }) =>
    new SQSClient({ endpoint: url, region, credentials: given, maxAttempts: 1 }).send(new ListQueuesCommand({}))
  await assert.rejects(send({ ...credentials, secretAccessKey: 'x' }), { name: 'SignatureDoesNotMatch' })
  await assert.rejects(send({ ...credentials, accessKeyId: 'x' }), { name: 'InvalidClientTokenId' })
  const anonymous = await sendRaw(url, {
    method: 'POST',
    headers: { 'x-amz-target': 'AmazonSQS.ListQueues' },
    body: '{}',
  })
  assert.equal(anonymous.status, 403)
  assert.match(anonymous.body, /AccessDenied/)
})
