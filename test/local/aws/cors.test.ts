import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'

import {
  CreateBucketCommand,
  DeleteBucketCorsCommand,
  GetBucketCorsCommand,
  HeadObjectCommand,
  PutBucketCorsCommand,
} from '@aws-sdk/client-s3'

import { sendRaw } from './raw.ts'
import { openTestAws, presignPut, type TestAws } from './support.ts'

const Bucket = 'images'
const vary = 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method'

const openWithBucket = async (context: TestContext): Promise<TestAws> => {
  const aws = await openTestAws(context)
  await aws.s3.send(new CreateBucketCommand({ Bucket }))
  return aws
}

const cors = {
  AllowedOrigins: ['https://app.example', 'https://*.app.example'],
  AllowedMethods: ['PUT'],
  AllowedHeaders: ['content-type', 'if-none-match', 'x-amz-*'],
  ExposeHeaders: ['ETag'],
  MaxAgeSeconds: 60,
}

test('CORS rules are kept, given back and deleted', async (context) => {
  const { s3 } = await openWithBucket(context)
  await assert.rejects(s3.send(new GetBucketCorsCommand({ Bucket })), { name: 'NoSuchCORSConfiguration' })
  await s3.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules: [cors] } }))
  assert.deepEqual((await s3.send(new GetBucketCorsCommand({ Bucket }))).CORSRules, [cors])
  const unknownMethod = { CORSRules: [{ ...cors, AllowedMethods: ['PATCH'] }] }
  await assert.rejects(s3.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: unknownMethod })), {
    name: 'InvalidRequest',
  })
  await s3.send(new DeleteBucketCorsCommand({ Bucket }))
  await assert.rejects(s3.send(new GetBucketCorsCommand({ Bucket })), { name: 'NoSuchCORSConfiguration' })
})

test('a preflight is answered by the rules, without a signature', async (context) => {
  const { s3, url } = await openWithBucket(context)
  const ask = (origin: string, method: string, headers: string) =>
    sendRaw(`${url}/${Bucket}/a`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': method, 'access-control-request-headers': headers },
    })
  assert.equal((await ask('https://app.example', 'PUT', '')).code, 'AccessForbidden')
  await s3.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules: [cors] } }))
  const allowed = await ask('https://eu.app.example', 'PUT', 'Content-Type, if-none-match,x-amz-checksum-sha256')
  assert.equal(allowed.status, 200)
  assert.partialDeepStrictEqual(allowed.headers, {
    'access-control-allow-origin': 'https://eu.app.example',
    'access-control-allow-methods': 'PUT',
    'access-control-allow-headers': 'content-type, if-none-match, x-amz-checksum-sha256',
    'access-control-max-age': '60',
    vary,
  })
  for (const [origin, method, headers] of [
    ['https://evil.example', 'PUT', ''],
    ['http://app.example', 'PUT', ''],
    ['https://app.example', 'DELETE', ''],
    ['https://app.example', 'PUT', 'authorization'],
  ] as const) {
    const { status, code, headers: answered } = await ask(origin, method, headers)
    assert.deepEqual([status, code, answered['access-control-allow-origin']], [403, 'AccessForbidden', undefined])
  }
})

test('an allowed page can read the answer, also a refusal', async (context) => {
  const { s3, url } = await openWithBucket(context)
  await s3.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules: [cors] } }))
  const ticket = await presignPut(url, {
    Bucket,
    Key: 'a',
    ContentType: 'image/png',
    ContentLength: 1,
    IfNoneMatch: '*',
  })
  const put = (origin: string, target = ticket) =>
    sendRaw(target, {
      method: 'PUT',
      body: 'x',
      headers: { origin, 'content-type': 'image/png', 'if-none-match': '*' },
    })
  for (const [expected, target] of [
    [200, ticket],
    [412, ticket],
    [403, ticket.replace('/a?', '/b?')],
  ] as const) {
    const { status, headers } = await put('https://app.example', target)
    assert.deepEqual([status, headers['access-control-allow-origin']], [expected, 'https://app.example'])
    assert.equal(headers['access-control-expose-headers'], 'ETag')
    assert.equal(headers.vary, vary)
  }
})

test('a page of another origin is served, but its browser is told nothing that lets it read', async (context) => {
  const { s3, url } = await openWithBucket(context)
  await s3.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules: [cors] } }))
  const input = { Bucket, Key: 'a', ContentType: 'image/png', ContentLength: 1, IfNoneMatch: '*' }
  const headers = { origin: 'https://evil.example', 'content-type': 'image/png', 'if-none-match': '*' }
  const answer = await sendRaw(await presignPut(url, input), { method: 'PUT', body: 'x', headers })
  assert.equal(answer.status, 200)
  assert.deepEqual(
    Object.keys(answer.headers).filter((name) => name === 'vary' || name.startsWith('access-control-')),
    [],
  )
  await s3.send(new HeadObjectCommand({ Bucket, Key: 'a' }))
})

test('a rule for everyone allows every origin by a star, without credentials', async (context) => {
  const { s3, url } = await openWithBucket(context)
  const rule = { AllowedOrigins: ['*'], AllowedMethods: ['GET'] }
  await s3.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules: [rule] } }))
  const { headers } = await sendRaw(`${url}/${Bucket}/a`, { headers: { origin: 'https://any.example' } })
  assert.equal(headers['access-control-allow-origin'], '*')
  assert.equal(headers['access-control-allow-credentials'], undefined)
})

test('a metadata header that a rule names can be asked for, and is kept when it is signed', async (context) => {
  const { s3, url } = await openWithBucket(context)
  const name = 'x-amz-meta-traceparent'
  const origin = 'https://app.example'
  const ask = () => {
    const asked = { 'access-control-request-method': 'PUT', 'access-control-request-headers': `content-type,${name}` }
    return sendRaw(`${url}/${Bucket}/a`, { method: 'OPTIONS', headers: { origin, ...asked } })
  }
  const allow = (AllowedHeaders: string[]) => {
    const rule = { ...cors, AllowedHeaders }
    return s3.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules: [rule] } }))
  }
  await allow(['content-type'])
  assert.deepEqual([(await ask()).status, (await ask()).code], [403, 'AccessForbidden'])
  await allow(['content-type', 'X-Amz-Meta-Traceparent'])
  assert.equal((await ask()).headers['access-control-allow-headers'], `content-type, ${name}`)

  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const input = { Bucket, Key: 'a', ContentType: 'image/png', ContentLength: 1, IfNoneMatch: '*' }
  const ticket = await presignPut(url, { ...input, Metadata: { traceparent } }, { unhoistable: [name] })
  const put = (value: string) =>
    sendRaw(ticket, {
      method: 'PUT',
      body: 'x',
      headers: { origin, 'content-type': 'image/png', 'if-none-match': '*', [name]: value },
    })
  assert.equal((await put(traceparent.replace('01', '00'))).code, 'SignatureDoesNotMatch')
  const stored = await put(traceparent)
  assert.deepEqual([stored.status, stored.headers['access-control-allow-origin']], [200, origin])
  const { Metadata } = await s3.send(new HeadObjectCommand({ Bucket, Key: 'a' }))
  assert.deepEqual(Metadata, { traceparent })
})
