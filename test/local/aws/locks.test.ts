import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'

import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3'
import fc from 'fast-check'

import { eventually } from '../../support/eventually.ts'
import { sendRaw } from './raw.ts'
import { openTestAws, presignPut, type TestAws } from './support.ts'

const body = Buffer.from('the bytes of an image')
const sha256 = createHash('sha256').update(body).digest('base64')
const Bucket = 'images'
const Key = 'scans/20260101/user-1/0a b+c'
const input = {
  Bucket,
  Key,
  ContentType: 'image/png',
  ContentLength: body.length,
  IfNoneMatch: '*',
  ChecksumSHA256: sha256,
}
const headers = { 'content-type': 'image/png', 'if-none-match': '*', 'x-amz-checksum-sha256': sha256 }

const openWithTicket = async (context: TestContext): Promise<TestAws & { ticket: string }> => {
  const aws = await openTestAws(context)
  await aws.s3.send(new CreateBucketCommand({ Bucket }))
  return Object.assign(aws, { ticket: await presignPut(aws.url, input) })
}
const keysOf = async ({ s3 }: TestAws) =>
  (await s3.send(new ListObjectsV2Command({ Bucket }))).Contents?.map(({ Key }) => Key) ?? []

test('a ticket puts exactly what it promises', async (context) => {
  const aws = await openWithTicket(context)
  const signed = new URL(aws.ticket).searchParams.get('X-Amz-SignedHeaders')
  assert.equal(signed, 'content-length;content-type;host;if-none-match;x-amz-checksum-sha256')
  const answer = await sendRaw(aws.ticket, { method: 'PUT', headers, body })
  assert.equal(answer.status, 200)
  assert.equal(answer.headers.etag, `"${createHash('md5').update(body).digest('hex')}"`)
  const { Body, ContentType } = await aws.s3.send(new GetObjectCommand({ Bucket, Key }))
  assert.deepEqual([await Body?.transformToString(), ContentType], [body.toString(), 'image/png'])
})

test('every departure from the ticket is refused and stores nothing', async (context) => {
  const aws = await openWithTicket(context)
  const { ticket } = aws
  const without = (name: string) => Object.fromEntries(Object.entries(headers).filter(([key]) => key !== name))
  const put = { method: 'PUT', headers, body }
  const otherSha = createHash('sha256').update('other').digest('base64')
  const attacks: Record<string, [string, Parameters<typeof sendRaw>[1], number, string]> = {
    'a longer body': [ticket, { ...put, body: Buffer.concat([body, body]) }, 403, 'SignatureDoesNotMatch'],
    'a shorter body': [ticket, { ...put, body: body.subarray(1) }, 403, 'SignatureDoesNotMatch'],
    'an empty body': [ticket, { ...put, body: '' }, 403, 'SignatureDoesNotMatch'],
    'a body without a length': [ticket, { ...put, length: null }, 411, 'MissingContentLength'],
    'another type': [
      ticket,
      { ...put, headers: { ...headers, 'content-type': 'text/html' } },
      403,
      'SignatureDoesNotMatch',
    ],
    'no type': [ticket, { ...put, headers: without('content-type') }, 403, 'SignatureDoesNotMatch'],
    'two types': [
      ticket,
      { ...put, headers: { ...headers, 'content-type': ['image/png', 'text/html'] } },
      403,
      'SignatureDoesNotMatch',
    ],
    'no if-none-match': [ticket, { ...put, headers: without('if-none-match') }, 403, 'SignatureDoesNotMatch'],
    'another if-none-match': [
      ticket,
      { ...put, headers: { ...headers, 'if-none-match': '"x"' } },
      403,
      'SignatureDoesNotMatch',
    ],
    'other bytes of the same length': [ticket, { ...put, body: Buffer.alloc(body.length) }, 400, 'BadDigest'],
    'another checksum': [
      ticket,
      { ...put, headers: { ...headers, 'x-amz-checksum-sha256': otherSha } },
      403,
      'SignatureDoesNotMatch',
    ],
    'no checksum': [ticket, { ...put, headers: without('x-amz-checksum-sha256') }, 403, 'SignatureDoesNotMatch'],
    'an unsigned x-amz header': [
      ticket,
      { ...put, headers: { ...headers, 'x-amz-acl': 'public-read' } },
      403,
      'AccessDenied',
    ],
    'an unsigned x-amz-meta header': [
      ticket,
      { ...put, headers: { ...headers, 'x-amz-meta-a': 'b' } },
      403,
      'AccessDenied',
    ],
    'another method': [ticket, { method: 'GET', headers }, 403, 'SignatureDoesNotMatch'],
    'a delete': [ticket, { method: 'DELETE', headers }, 403, 'SignatureDoesNotMatch'],
    'another key': [ticket.replace('user-1', 'user-2'), put, 403, 'SignatureDoesNotMatch'],
    'a key that folds to another': [ticket.replace('user-1', 'x/../user-1'), put, 403, 'SignatureDoesNotMatch'],
    'another bucket': [ticket.replace('/images/', '/private/'), put, 403, 'SignatureDoesNotMatch'],
    'a further parameter': [`${ticket}&tagging=`, put, 403, 'SignatureDoesNotMatch'],
    'a longer life': [ticket.replace('X-Amz-Expires=300', 'X-Amz-Expires=3000'), put, 403, 'SignatureDoesNotMatch'],
    'a second expiry': [`${ticket}&X-Amz-Expires=3000`, put, 400, 'AuthorizationQueryParametersError'],
    'a life over a week': [
      ticket.replace('X-Amz-Expires=300', 'X-Amz-Expires=604801'),
      put,
      400,
      'AuthorizationQueryParametersError',
    ],
    'a life of nothing': [
      ticket.replace('X-Amz-Expires=300', 'X-Amz-Expires=0'),
      put,
      400,
      'AuthorizationQueryParametersError',
    ],
    'fewer signed headers': [ticket.replace('content-length%3B', ''), put, 403, 'SignatureDoesNotMatch'],
    'an unsigned host': [ticket.replace('host%3B', ''), put, 403, 'AccessDenied'],
    'another host': [ticket, { ...put, headers: { ...headers, host: 'images.example' } }, 403, 'SignatureDoesNotMatch'],
    'no signature': [ticket.replace(/&X-Amz-Signature=\w+/, ''), put, 400, 'AuthorizationQueryParametersError'],
    'no authentication': [ticket.replace(/\?.*/, ''), put, 403, 'AccessDenied'],
    'another region': [ticket.replace('us-east-1', 'eu-west-1'), put, 400, 'AuthorizationQueryParametersError'],
    'another service': [ticket.replace('%2Fs3%2F', '%2Fsqs%2F'), put, 400, 'AuthorizationQueryParametersError'],
    'another access key': [ticket.replace('local-key', 'other-key'), put, 403, 'InvalidAccessKeyId'],
    'a header form beside it': [
      ticket,
      { ...put, headers: { ...headers, authorization: 'AWS4-HMAC-SHA256 x' } },
      400,
      'InvalidArgument',
    ],
  }
  for (const [name, [url, request, status, code]] of Object.entries(attacks)) {
    const answer = await sendRaw(url, request)
    assert.deepEqual(
      [answer.status, answer.code || (request?.method === 'HEAD' ? code : '')],
      [status, code],
      `${name}: ${answer.body}`,
    )
  }
  assert.deepEqual(await keysOf(aws), [])
  assert.deepEqual(await readdir(join(aws.directory, 'blobs', 'tmp')), [])
  assert.equal((await sendRaw(ticket, { method: 'PUT', headers, body })).status, 200, 'the ticket itself is still good')
})

test('a second PUT is answered with 412 and changes nothing', async (context) => {
  const aws = await openWithTicket(context)
  const other = Buffer.alloc(body.length, 'x')
  const second = await presignPut(aws.url, { ...input, ChecksumSHA256: undefined })
  assert.equal((await sendRaw(aws.ticket, { method: 'PUT', headers, body })).status, 200)
  for (const [url, bytes, sent] of [
    [aws.ticket, body, headers],
    [second, other, { 'content-type': 'image/png', 'if-none-match': '*' }],
  ] as const) {
    const answer = await sendRaw(url, { method: 'PUT', headers: sent, body: bytes })
    assert.deepEqual([answer.status, answer.code], [412, 'PreconditionFailed'])
  }
  const { Body } = await aws.s3.send(new GetObjectCommand({ Bucket, Key }))
  assert.equal(await Body?.transformToString(), body.toString())
  assert.equal((await readdir(join(aws.directory, 'blobs'))).length, 2, 'one blob and the staging folder')
})

test('of many PUTs at once exactly one creates', async (context) => {
  const { ticket } = await openWithTicket(context)
  const answers = await Promise.all(Array.from({ length: 8 }, () => sendRaw(ticket, { method: 'PUT', headers, body })))
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, ...Array.from({ length: 7 }, () => 412)])
})

test('a ticket is good until its last second and not after', async (context) => {
  const aws = await openWithTicket(context)
  const early = await presignPut(aws.url, { ...input, Key: 'early' })
  aws.advance(298_000)
  assert.equal((await sendRaw(early, { method: 'PUT', headers, body })).status, 200)
  aws.advance(4000)
  const answer = await sendRaw(aws.ticket, { method: 'PUT', headers, body })
  assert.deepEqual([answer.status, answer.code], [403, 'AccessDenied'])
  assert.match(answer.body, /Request has expired/)
})

test('a ticket from the future is refused', async (context) => {
  const aws = await openWithTicket(context)
  const future = await presignPut(aws.url, input, { signingDate: new Date(Date.now() + 20 * 60_000) })
  const answer = await sendRaw(future, { method: 'PUT', headers, body })
  assert.deepEqual([answer.status, answer.code], [403, 'AccessDenied'])
  assert.match(answer.body, /Request is not yet valid/)
})

test('any single changed character of the query breaks the ticket', async (context) => {
  const { ticket } = await openWithTicket(context)
  const start = ticket.indexOf('?') + 1
  const tampers = fc.record({
    at: fc.integer({ min: start, max: ticket.length - 1 }),
    to: fc.constantFrom('0', 'a', 'Z', '-', '%', '&', '=', '+', ';'),
  })
  await fc.assert(
    fc.asyncProperty(tampers, async ({ at, to }) => {
      fc.pre(ticket[at] !== to)
      const { status } = await sendRaw(ticket.slice(0, at) + to + ticket.slice(at + 1), {
        method: 'PUT',
        headers,
        body,
      })
      assert.ok(status >= 400 && status < 500, `${to} at ${at}: ${status}`)
    }),
    { numRuns: 150 },
  )
})

test('a checksum that is no checksum, and two of them, are InvalidRequest', async (context) => {
  const aws = await openWithTicket(context)
  const ChecksumSHA256 = 'bm90IGEgaGFzaA=='
  const malformed = await presignPut(aws.url, { ...input, ChecksumSHA256 })
  const answer = await sendRaw(malformed, {
    method: 'PUT',
    headers: { ...headers, 'x-amz-checksum-sha256': ChecksumSHA256 },
    body,
  })
  assert.deepEqual([answer.status, answer.code], [400, 'InvalidRequest'])
})

test('an upload that breaks off leaves no object and no file', async (context) => {
  const aws = await openWithTicket(context)
  const { host, pathname, search, port } = new URL(aws.ticket)
  const lines = [`PUT ${pathname}${search} HTTP/1.1`, `host: ${host}`, `content-length: ${body.length}`]
  const socket = connect(Number(port), '127.0.0.1')
  const sent = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  socket.write(`${[...lines, ...sent].join('\r\n')}\r\n\r\n${body.subarray(1).toString()}`)
  const staged = () => readdir(join(aws.directory, 'blobs', 'tmp'))
  await eventually(async () => (await staged()).length === 1, 'the body is being staged')
  socket.destroy()
  await eventually(async () => (await staged()).length === 0, 'the staged body is gone')
  assert.deepEqual(await keysOf(aws), [])
})
