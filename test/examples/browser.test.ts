import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { after, before, beforeEach, test } from 'node:test'

import { RefusedError, uploadImage } from '../../examples/browser.ts'

/** The next answers by method; the last one stays. `lost`: no answer comes. */
type Answer = { status: number; body?: unknown; headers?: Record<string, string> } | 'lost'
type Script = Record<string, Answer[]>

const ticketOf = (number: number) => ({
  key: `scans/20261123/user-1/${number}`,
  upload_url: `${origin}/s3/${number}`,
  required_headers: { 'Content-Type': 'image/jpeg', 'If-None-Match': '*' },
})
const image = (status: string): Answer => ({ status: 200, body: { key: 'any', status } })
const s3Error = (status: number, code: string): Answer => ({ status, body: `<Error><Code>${code}</Code></Error>` })
const missing: Answer = { status: 404, body: {} }

let server: Server
let origin = ''
let script: Script
let asked: string[]
let tickets: number

const nextAnswer = (method: string): Answer => {
  const answers = script[method] ?? []
  const answer = answers.length > 1 ? answers.shift() : answers[0]
  if (answer !== undefined) return answer
  if (method !== 'POST') throw new Error(`the script has no answer to ${method}`)
  return { status: 200, body: ticketOf(++tickets) }
}

const answerNext = async (request: IncomingMessage, response: ServerResponse) => {
  const { method = '', url = '' } = request
  await text(request)
  asked.push(`${method} ${url.replace('/images', '')}`)
  const answer = nextAnswer(method)
  if (answer === 'lost') request.socket.destroy()
  else
    response
      .writeHead(answer.status, answer.headers)
      .end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body ?? ''))
}

before(async () => {
  server = createServer((request, response) => void answerNext(request, response)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // it listens on a port
  origin = `http://127.0.0.1:${port}`
})
beforeEach(() => {
  asked = []
  tickets = 0
})
after(() => {
  server.closeAllConnections()
  server.close()
})

const upload = (played: Script) => {
  script = played
  const file = new File(['some bytes'], 'photo.jpg', { type: 'image/jpeg' })
  return uploadImage({ apiUrl: origin, getToken: () => 'a token' }, 'scan', file)
}

const metadata = (number: number) => `GET /scans/20261123/user-1/${number}/metadata`

const sameTicket: [what: string, first: Answer][] = [
  ['no answer', 'lost'],
  ['a 409, by which S3 says that it was busy with the key', s3Error(409, 'ConditionalRequestConflict')],
  ['a 503', s3Error(503, 'SlowDown')],
  ['a 400 that says that the bytes came too slowly', s3Error(400, 'RequestTimeout')],
  ['a 400 that says that not all bytes came', s3Error(400, 'IncompleteBody')],
]
for (const [what, first] of sameTicket) {
  test(`after ${what} the same PUT is tried again`, async () => {
    const { status } = await upload({ PUT: [first, { status: 200 }], GET: [image('accepted')] })
    assert.equal(status, 'accepted')
    assert.deepEqual(asked, ['POST /presigned-url', 'PUT /s3/1', 'PUT /s3/1', metadata(1)])
  })
}

test('a 412 means that the upload is stored, and its verdict is awaited', async () => {
  const { status } = await upload({ PUT: ['lost', s3Error(412, 'PreconditionFailed')], GET: [image('rejected')] })
  assert.equal(status, 'rejected')
  assert.deepEqual(asked.slice(-2), ['PUT /s3/1', metadata(1)])
})

test('a 403 is answered by a fresh ticket', async () => {
  const { status } = await upload({
    PUT: [s3Error(403, 'AccessDenied'), { status: 200 }],
    GET: [missing, image('accepted')],
  })
  assert.equal(status, 'accepted')
  assert.deepEqual(asked, [
    'POST /presigned-url',
    'PUT /s3/1',
    metadata(1),
    'POST /presigned-url',
    'PUT /s3/2',
    metadata(2),
  ])
})

test('a 403 after a try that has arrived asks for no second ticket', async () => {
  const { status } = await upload({ PUT: ['lost', s3Error(403, 'AccessDenied')], GET: [image('accepted')] })
  assert.equal(status, 'accepted')
  assert.equal(tickets, 1)
})

test('a fresh ticket that is refused too ends in an error with the code of S3', async () => {
  const refused = upload({ PUT: [s3Error(403, 'SignatureDoesNotMatch')], GET: [missing] })
  await assert.rejects(refused, /^Error: S3 refused: 403 SignatureDoesNotMatch$/)
  assert.equal(tickets, 2)
})

for (const [status, code] of [
  [400, 'BadDigest'],
  [501, 'NotImplemented'],
] as const) {
  test(`a ${status} ${code}, which no repeat mends, ends in an error at once`, async () => {
    const refused = upload({ PUT: [s3Error(status, code)], GET: [missing] })
    await assert.rejects(refused, new RegExp(`^Error: S3 refused: ${status} ${code}$`))
    assert.deepEqual(asked, ['POST /presigned-url', 'PUT /s3/1', metadata(1)])
  })
}

test('an upload of which no answer ever came is found by its metadata', async () => {
  const { status } = await upload({ PUT: ['lost'], GET: [image('accepted')] })
  assert.equal(status, 'accepted')
  assert.equal(asked.at(-1), metadata(1))
})

test('a silent S3 that stored nothing is an error', async () => {
  await assert.rejects(upload({ PUT: ['lost'], GET: [missing] }), /S3 does not answer/)
})

test('the verdict is asked for until it is there', async () => {
  const pending = image('pending')
  const { status } = await upload({ PUT: [{ status: 200 }], GET: [pending, 'lost', pending, image('accepted')] })
  assert.equal(status, 'accepted')
})

test('an image that is deleted before its verdict is an error', async () => {
  await assert.rejects(upload({ PUT: [{ status: 200 }], GET: [image('pending'), missing] }), /is gone/)
})

test('an API that is away, or says when to come back, is asked again, then', async (t) => {
  const pauses = t.mock.method(globalThis, 'setTimeout')
  const { status } = await upload({
    POST: [
      'lost',
      { status: 502, body: 'Bad Gateway' },
      { status: 429, headers: { 'Retry-After': '2' } },
      { status: 503, headers: { 'Retry-After': 'Mon, 23 Nov 2026 16:22:15 GMT' } },
      { status: 200, body: ticketOf(7) },
    ],
    PUT: [{ status: 200 }],
    GET: [image('accepted')],
  })
  assert.equal(status, 'accepted')
  assert.ok(pauses.mock.calls.some(({ arguments: [, ms] }) => ms === 2000))
})

test("the API's refusal is an error with its code and its sentence, and is not asked again", async () => {
  const problem = { code: 'content_type_not_allowed', detail: 'Convert the photo to JPEG.' }
  const headers = { 'Content-Type': 'application/problem+json' }
  const refused = upload({ POST: [{ status: 415, body: problem, headers }] })
  await assert.rejects(refused, (error) => {
    assert.ok(error instanceof RefusedError)
    assert.deepEqual([error.status, error.code, error.message], [415, problem.code, problem.detail])
    return true
  })
  assert.deepEqual(asked, ['POST /presigned-url'])
})

test('a refusal that is no problem document, as of a gateway, is an error with its status', async () => {
  await assert.rejects(upload({ POST: [{ status: 403, body: '<html></html>' }] }), /the API answered 403/)
})
