import assert from 'node:assert/strict'
import test, { suite } from 'node:test'

import { CredentialsError, OutageError } from '#shared/ports/failures.ts'

import { openIdentity } from '../../../services/api/identity.ts'
import { limitUsers } from '../../../services/api/limits.ts'
import type { ProblemCode } from '../../../services/api/problems.ts'
import { openTestApi, signTestToken, testKey, testSigner, type Answer, type TestApi } from '../../support/api.ts'
import {
  assertDescribed,
  assertProblemDescribed,
  exampleCall,
  operations,
  requestExamples,
  unmet,
  type Operation,
} from './document.ts'
import { brokenOff, sendRaw } from './provoked.ts'

const limitUser = () => limitUsers({ perMinute: 1_000 })
const api = await openTestApi({ limitUser: limitUser() })

type Call = { method: string; path: string; body?: string; headers?: Record<string, string> }
type Ask = (call: Call) => Promise<Answer>
type Asks = { readonly [Code in ProblemCode]?: Ask }

const callOf = (one: Operation): Call => {
  const { key, path, headers } = exampleCall(one)
  if (key !== undefined) api.images.upload({ key, bytes: Buffer.from('x'), contentType: 'image/jpeg' })
  const [example] = requestExamples(one)
  const body = example && { body: JSON.stringify(example[1].value) }
  return { method: one.method.toUpperCase(), path, headers, ...body }
}

const askWith =
  (options: { token?: string; headers?: Record<string, string>; body?: string | ReadableStream }): Ask =>
  ({ method, path, body }) =>
    api.request(method, path, { ...options, ...(body === undefined ? {} : { body: options.body ?? body }) })

/** As who asked by HEAD reads it, though a body may be written where no request could be read. */
const withoutBody = (answer: Answer): Answer => ({ ...answer, text: '' })

const askRaw =
  (rest: string): Ask =>
  async ({ method, path }) => {
    const answer = await sendRaw(`${method} ${path} HTTP/1.1\r\n${rest}`)
    return method === 'HEAD' ? withoutBody(answer) : answer
  }

/** By an API that is opened when it is first asked. */
const askOf = (open: () => Promise<TestApi>): Ask => {
  let opened: Promise<TestApi> | undefined
  return async ({ method, path, body }) =>
    (await (opened ??= open())).request(method, path, body === undefined ? {} : { body })
}

const askBroken = (error: Error) =>
  askOf(async () => {
    const signer = { ...testSigner, sign: () => Promise.reject(error) }
    const broken = await openTestApi({ signer, limitUser: limitUser() })
    for (const call of ['head', 'remove']) broken.images.faults.fail(call, error, Infinity)
    return broken
  })

const ofAll: Asks = {
  malformed_request: askRaw('Host: x\r\nA: \0\r\n\r\n'),
  invalid_target: askRaw('Host: a b\r\nConnection: close\r\n\r\n'),
  method_not_allowed: async ({ method, path }) => {
    const answer = await api.request('PUT', path, { token: '' })
    return method === 'HEAD' ? withoutBody(answer) : answer
  },
  request_timeout: askRaw('Host: x\r\n'),
  body_too_large: askWith({ token: '', headers: { 'Content-Length': '20000' } }),
  url_too_long: ({ path, ...call }) => askWith({ token: '' })({ ...call, path: `${path}?${'a'.repeat(3_000)}` }),
  headers_too_large: askRaw(`Host: x\r\nA: ${'a'.repeat(17_000)}\r\n\r\n`),
}
const unreadToken = `${Buffer.from('{"alg":"ES256"}').toString('base64url')}.e30.AAAA`
const noCalls = { allowed: false, limit: 1, remaining: 0, resetSeconds: 1, retryAfterSeconds: 1 }
const ofUsers: Asks = {
  token_missing: askWith({ token: '' }),
  token_invalid: askWith({ token: 'garbage' }),
  token_expired: async (call) => askWith({ token: await signTestToken({ exp: 1 }) })(call),
  subject_not_usable: async (call) => askWith({ token: await signTestToken({ sub: '' }) })(call),
  rate_limited: askOf(() => openTestApi({ limitUser: () => noCalls })),
  keys_unavailable: askOf(() => {
    // Without the issuer no token is read at all.
    const identify = openIdentity({ JWKS_URL: 'http://127.0.0.1:9/jwks.json' })
    return openTestApi({ identify: () => identify(`Bearer ${unreadToken}`) })
  }),
  credentials_unavailable: askBroken(new CredentialsError('S3', 'none')),
  storage_unavailable: askBroken(new OutageError('S3', 'away')),
  internal_error: askBroken(new TypeError('nobody foresaw it')),
}
const wrong = (fields: object): Ask => askWith({ body: JSON.stringify({ purpose: 'scan', ...fields }) })
const ofTickets: Asks = {
  request_incomplete: (call) => askWith({ body: brokenOff() })(call),
  invalid_json: askWith({ body: '{' }),
  body_too_large: (call) => askWith({ body: new Blob(['x'.repeat(20_000)]).stream() })(call),
}
const ofPlainTickets: Asks = {
  content_type_not_allowed: wrong({ content_type: 'image/heic', content_length: 5 }),
  invalid_request: wrong({ content_type: 'image/png', content_length: 0 }),
}
const ofPurposes: Asks = {
  content_type_not_allowed: askWith({ body: '{"content_type":"image/heic","content_length":5}' }),
  invalid_request: askWith({ body: '{}' }),
  purpose_contradiction: askWith({ body: '{"purpose":"other"}' }),
}
const ofImages: Asks = {
  image_not_found: ({ path, ...call }) =>
    askWith({})({ ...call, path: path.replace(/scans\/[^/]+\/[^/]+\/[^/]+/, testKey('scan', 'user-2')) }),
}

const asksOf = ({ path, method, security }: Operation): Asks[] => {
  if (security.length === 0) {
    const failing = askOf(() => openTestApi({ problem: () => Promise.reject(new TypeError('nobody foresaw it')) }))
    return [ofAll, path === '/readyz' ? { internal_error: failing } : {}]
  }
  if (method !== 'post') return [ofAll, ofUsers, ofImages]
  return [ofAll, ofUsers, ofTickets, path.endsWith('presigned-url') ? ofPlainTickets : ofPurposes]
}

suite('every answer of every operation, brought about for real, is as the document says', { concurrency: 500 }, () => {
  for (const one of operations) {
    for (const [code, ask] of asksOf(one).flatMap((asks) => Object.entries(asks))) {
      // Object.entries forgets the keys' type.
      test(`${one.name} ${code}`, async () => assertProblemDescribed(await ask(callOf(one)), code as ProblemCode, one))
    }
    test(`${one.name} as it should be`, async () => {
      const { headers = {}, ...call } = callOf(one)
      const answer = await askWith({ headers })(call)
      assert.ok(answer.status < 300, answer.text)
      assertDescribed(answer, one)
    })
  }
})

for (const one of operations.filter(({ responses }) => responses['304'])) {
  test(`${one.name} of what has not changed is as the document says`, async () => {
    const answer = await askWith({ headers: { 'If-None-Match': '*' } })(callOf(one))
    assert.equal(answer.status, 304)
    assertDescribed(answer, one)
  })
}

for (const one of operations.filter(({ path }) => path === '/readyz')) {
  test(`${one.name} of what is away is as the document says`, async () => {
    const { request } = await openTestApi({ problem: () => Promise.resolve('the image store does not answer') })
    const answer = await request(one.method.toUpperCase(), one.path)
    assert.equal(answer.status, 503)
    assertDescribed(answer, one)
  })
}

test('the document speaks of no status and no header that no answer has', () => {
  // What fails by no fault that could be foreseen can't be made to fail.
  const left = [...unmet].filter((what) => !/^(get|head) \/(healthz|openapi\.json|docs) 500 /.test(what))
  assert.deepEqual(left, [])
})
