import assert from 'node:assert/strict'
import test from 'node:test'

import fc from 'fast-check'

import { imageTypes } from '#shared/domain/images/image-types.ts'
import { parseKey } from '#shared/domain/keys.ts'
import { purposeNames, purposeRules } from '#shared/domain/purposes.ts'

import { problemSchema, ticketSchema } from '../../../services/api/schemas.ts'
import { assertProblem, openTestApi, signTestToken, testKey, type Answer } from '../../support/api.ts'

const api = await openTestApi()
const { request } = api
const theirs = testKey('scan', 'user-2')
api.images.upload({ key: theirs, bytes: Buffer.from('x') })

const runs = { numRuns: 400 }

/** Every answer but a success is a whole problem document, and none is a 500. */
const assertSound = (answer: Answer) => {
  if (answer.status < 300) return
  const { code } = problemSchema.parse(answer.json)
  assertProblem(answer, code)
  assert.ok(answer.status < 500, answer.text)
}

/** Mostly right, sometimes nearly, sometimes anything. */
const field = (right: fc.Arbitrary<unknown>, ...nearMisses: unknown[]) =>
  fc.oneof(
    { weight: 12, arbitrary: right },
    { weight: 2, arbitrary: fc.constantFrom(...nearMisses) },
    { weight: 1, arbitrary: fc.oneof(fc.jsonValue(), fc.string(), fc.double()) },
  )
const base64Of = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((array) => Buffer.from(array).toString('base64'))

const completeRequest = fc.record({
  purpose: field(fc.constantFrom(...purposeNames), 'SCAN', '', 'toString'),
  content_type: field(
    fc.constantFrom(...imageTypes, 'image/jpg', 'IMAGE/PNG'),
    ...['image/heic', 'image/svg+xml', 'text/html;image/png', 'image/png ', ''],
  ),
  content_length: field(fc.integer({ min: 1, max: 10_485_760 }), 0, 10_485_761, -1, 2 ** 53, 0.5, '7'),
  checksum_sha256: field(fc.oneof(fc.constant(undefined), base64Of(32)), '', 'x'.repeat(44)),
})
const ticketRequest = fc.oneof(
  { weight: 4, arbitrary: completeRequest },
  {
    weight: 1,
    arbitrary: fc
      .tuple(completeRequest, fc.dictionary(fc.string(), fc.jsonValue()))
      .map(([fields, others]) => ({ ...others, ...fields })),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(completeRequest, fc.subarray(['purpose', 'content_type', 'content_length'] as const))
      .map(([fields, missing]) => ({ ...fields, ...Object.fromEntries(missing.map((name) => [name, undefined])) })),
  },
)

/** What a ticket lets through, read from its URL alone, lies within the table of purposes. */
const assertTicketKeepsTable = (answer: Answer, sent: unknown, userId: string) => {
  const ticket = ticketSchema.strict().parse(answer.json)
  const parsed = parseKey(ticket.key)
  assert.ok(parsed.ok && parsed.facts.userId === userId, ticket.key)
  const rules = purposeRules(parsed.facts.purpose)
  const url = new URL(ticket.upload_url)
  const signed = url.searchParams.get('X-Amz-SignedHeaders')?.split(';') ?? []
  const { content_length, checksum_sha256 } = sent as { content_length: number; checksum_sha256?: string } // a ticket was given
  assert.equal(url.pathname, `/images-1/${ticket.key}`)
  for (const name of ['content-length', 'content-type', 'host', 'if-none-match']) assert.ok(signed.includes(name), name)
  assert.equal(signed.length, checksum_sha256 === undefined ? 4 : 5)
  assert.ok(Number.isInteger(content_length) && content_length >= rules.minBytes && content_length <= rules.maxBytes)
  assert.ok(rules.types.some((type) => type === ticket.required_headers['Content-Type']))
  assert.equal(ticket.required_headers['x-amz-checksum-sha256'], checksum_sha256)
  assert.equal(ticket.job_id !== undefined, parsed.facts.purpose === 'scan')
}

test('any body gets a ticket that keeps the table of purposes, or a problem that is no 500', async () => {
  let tickets = 0
  const ticketPath = fc.constantFrom('', ...purposeNames.map((name) => `/${name}`))
  const anyBody = fc.oneof({ weight: 5, arbitrary: ticketRequest }, { weight: 1, arbitrary: fc.jsonValue() })
  await fc.assert(
    fc.asyncProperty(anyBody, ticketPath, async (body, path) => {
      const answer = await api.askTicket(body, path)
      assertSound(answer)
      if (answer.status !== 200) return
      tickets++
      assertTicketKeepsTable(answer, body, 'user-1')
    }),
    { numRuns: 1500 },
  )
  assert.ok(tickets > 150, `only ${tickets} tickets were issued: the property says too little`)
})

test('any bytes as a body get a problem that is no 500', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 64 }), async (bytes) => {
      const body = new Blob([bytes.slice()]).stream()
      assertSound(await request('POST', '/images/presigned-url/scan', { body }))
    }),
    runs,
  )
})

test('any subject gets a ticket under a key of its own, or a 403', async () => {
  const body = JSON.stringify({ content_type: 'image/png', content_length: 5 })
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 200 }), async (sub) => {
      const answer = await request('POST', '/images/presigned-url/chat', { token: await signTestToken({ sub }), body })
      if (answer.status === 200) assertTicketKeepsTable(answer, JSON.parse(body), sub)
      else assertProblem(answer, 'subject_not_usable')
    }),
    runs,
  )
})

const pathPiece = fc.oneof(
  fc.constantFrom(
    'images',
    'presigned-url',
    'scan',
    'scans',
    'metadata',
    '20261123',
    'user-1',
    'user-2',
    theirs,
    '..',
    '%2e%2e',
  ),
  fc.constantFrom(
    '%2F',
    '%252F',
    '%00',
    '%',
    '%zz',
    '%c0%af',
    '%ff',
    '?',
    '#',
    '\\',
    ';',
    '%0a',
    '{.+}',
    ':key',
    '*',
    '',
  ),
  fc.string({ maxLength: 8 }),
  fc.webSegment(),
)
const anyPath = fc.array(pathPiece, { maxLength: 8 }).map((pieces) => `/${pieces.join('/')}`)
const anyMethod = fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS')

test('any method and path get an answer that is no 500, and never reach the image of another user', async () => {
  await fc.assert(
    fc.asyncProperty(anyMethod, anyPath, async (method, path) => {
      const { pathname } = new URL(`http://localhost${path}`)
      const answer = await request(method, `http://localhost${pathname}`)
      if (method === 'HEAD') assert.ok(answer.status < 500)
      else assertSound(answer)
      assert.ok(api.images.objects.has(theirs))
    }),
    { numRuns: 2000 },
  )
})

const printable = fc.string({ maxLength: 60 })
const authorization = fc.oneof(
  printable,
  printable.map((text) => `Bearer ${text}`),
  fc.tuple(fc.base64String(), fc.base64String(), fc.base64String()).map((parts) => `Bearer ${parts.join('.')}`),
  fc.tuple(fc.jsonValue(), fc.jsonValue(), fc.base64String()).map(([head, payload, end]) => {
    const [first = '', second = ''] = [head, payload].map((part) =>
      Buffer.from(JSON.stringify(part)).toString('base64url'),
    )
    return `Bearer ${first}.${second}.${end}`
  }),
)

test('any Authorization header but a right one is a 401', async () => {
  await fc.assert(
    fc.asyncProperty(authorization, async (Authorization) => {
      for (const [method, path] of [
        ['POST', '/images/presigned-url'],
        ['DELETE', `/images/${theirs}`],
      ] as const) {
        const answer = await request(method, path, { token: '', headers: { Authorization } })
        assert.equal(answer.status, 401)
        assertSound(answer)
      }
    }),
    runs,
  )
})
