import assert from 'node:assert/strict'
import test, { suite } from 'node:test'

import { CredentialsError, OutageError } from '#shared/ports/failures.ts'

import * as examples from '../../../services/api/examples.ts'
import { limitUsers } from '../../../services/api/limits.ts'
import { problemCodes, problemTable, type ProblemCode } from '../../../services/api/problems.ts'
import { problemSchema } from '../../../services/api/schemas.ts'
import { assertProblem, openTestApi, signTestToken, testSigner, type Answer } from '../../support/api.ts'
import {
  assertDescribed,
  assertHeadersDescribed,
  document,
  exampleCall,
  findOperation,
  introduced,
  operations,
  validate,
  type Operation,
} from './document.ts'
import { provocations } from './provoked.ts'

const api = await openTestApi({ limitUser: limitUsers({ perMinute: 1000 }) })
const uploadExample = (key: string | undefined) => {
  if (key !== undefined) api.images.upload({ key, bytes: Buffer.from('x'), contentType: 'image/jpeg' })
}
const requestExamples = ({ requestBody }: Operation) =>
  Object.values(requestBody?.content ?? {}).flatMap(({ examples }) => Object.entries(examples))

suite('every example of a request, sent as it stands', () => {
  for (const one of operations) {
    const { key, path, headers } = exampleCall(one)
    const bodies = requestExamples(one)
    const bodiless: [string, { value?: unknown }][] = [['', {}]]
    for (const [name, { value }] of bodies.length > 0 ? bodies : bodiless) {
      test(`${one.name} ${name}`, async () => {
        uploadExample(key)
        const answer = await api.request(one.method.toUpperCase(), path, {
          headers,
          ...(one.security.length === 0 ? { token: '' } : {}),
          ...(value === undefined ? {} : { body: JSON.stringify(value) }),
        })
        assert.ok(answer.status < 300, answer.text)
        assertDescribed(answer, one)
      })
    }
  }
})

test('every form of JSON has examples, and all of them have that form', () => {
  for (const { name, requestBody, responses } of operations) {
    const bodies = [['request', { content: {}, ...requestBody }] as const, ...Object.entries(responses)]
    for (const [part, { content }] of bodies) {
      for (const [type, { schema, examples }] of Object.entries(content)) {
        const shown = Object.entries(examples)
        assert.equal(shown.length > 0, type.endsWith('json'), `examples of ${name} ${part} ${type}`)
        for (const [which, { value }] of shown) validate(schema, value, `${name} ${part} ${which}`)
      }
    }
  }
})

test('every example of a field or a parameter has its form', () => {
  const fields = Object.values(document.components.schemas).flatMap(({ properties }) => Object.entries(properties))
  const parameters = operations.flatMap((one) => one.parameters.map(({ name, schema }) => [name, schema] as const))
  const shown = [...fields, ...parameters].filter(([, schema]) => 'example' in schema)
  assert.ok(shown.length > 5, `only ${shown.length}`)
  for (const [name, schema] of shown) validate(schema, schema['example'], name)
})

test('the examples of problems that name fields are what the API answers', async () => {
  const wrong = { content_length: 0, filename: 'a.jpg' }
  for (const [fields, status, code] of [
    [wrong, 422, 'invalid_request'],
    [{ content_type: 'image/heic' }, 415, 'content_type_not_allowed'],
  ] as const) {
    const { json } = await api.askTicket({ ...examples.ticketRequests.scan.value, ...fields })
    const { responses } = findOperation('/images/presigned-url', 'post')
    const shown = responses[status]?.content['application/problem+json']?.examples[code]?.value
    assert.deepEqual(shown, { ...problemSchema.parse(json), request_id: examples.requestId })
  }
})

test('an unchanged image and a store that is away are described too', async () => {
  const one = findOperation('/images/{key}/metadata', 'get')
  const { key, path } = exampleCall(one)
  uploadExample(key)
  const unchanged = await api.request('GET', path, { headers: { 'If-None-Match': '*' } })
  assert.equal(unchanged.status, 304)
  assertDescribed(unchanged, one)
  const away = await openTestApi({ problem: () => Promise.resolve('the image store does not answer') })
  const waiting = await away.request('GET', '/readyz', { token: '' })
  assert.equal(waiting.status, 503)
  assertDescribed(waiting, findOperation('/readyz', 'get'))
})

suite('every error, brought about for real, is described', { concurrency: true }, () => {
  for (const code of problemCodes) {
    test(code, async () => {
      const { path, method, ask } = provocations[code]
      const answer = await ask()
      if (path !== undefined) {
        assertProblemDescribed(answer, code, findOperation(path, method))
        return
      }
      assertProblem(answer, code)
      assert.ok(document.info.description.includes(`${problemTable[code].status} \`${code}\``))
      assertHeadersDescribed(answer, introduced, code)
    })
  }
})

const assertProblemDescribed = (answer: Answer, code: ProblemCode, one: Operation) => {
  assertProblem(answer, code)
  assert.ok(one.responses[String(answer.status)]?.description.includes(`\`${code}\``), `${one.name} ${code}`)
  assertDescribed(answer, one)
}

const broken = async (error: Error) => {
  const [signer, limitUser] = [{ ...testSigner, sign: () => Promise.reject(error) }, limitUsers({ perMinute: 9 })]
  const { images, request } = await openTestApi({ signer, limitUser })
  images.faults.fail('head', error)
  images.faults.fail('remove', error)
  return request
}
const noCalls = { allowed: false, limit: 1, remaining: 0, resetSeconds: 1, retryAfterSeconds: 1 }
const limited = await openTestApi({ limitUser: () => noCalls })

type Call = { method: string; path: string; body?: string }
type Ask = (call: Call) => Promise<Answer>
const askWith =
  (options: { token?: string; headers?: Record<string, string> }): Ask =>
  ({ method, path, body }) =>
    api.request(method, path, { ...options, ...(body === undefined ? {} : { body }) })

const ofAll: { readonly [Code in ProblemCode]?: Ask } = {
  url_too_long: ({ path, ...call }) => askWith({ token: '' })({ ...call, path: `${path}?${'a'.repeat(3_000)}` }),
  body_too_large: askWith({ token: '', headers: { 'Content-Length': '20000' } }),
}
const ofUsers: typeof ofAll = {
  token_missing: askWith({ token: '' }),
  token_invalid: askWith({ token: 'garbage' }),
  token_expired: async (call) => askWith({ token: await signTestToken({ exp: 1 }) })(call),
  subject_not_usable: async (call) => askWith({ token: await signTestToken({ sub: '' }) })(call),
  rate_limited: ({ method, path }) => limited.request(method, path),
  storage_unavailable: async ({ method, path, body = '' }) =>
    (await broken(new OutageError('S3', 'away')))(method, path, method === 'POST' ? { body } : {}),
  credentials_unavailable: async ({ method, path, body = '' }) =>
    (await broken(new CredentialsError('S3', 'none')))(method, path, method === 'POST' ? { body } : {}),
  internal_error: async ({ method, path, body = '' }) =>
    (await broken(new TypeError('nobody foresaw it')))(method, path, method === 'POST' ? { body } : {}),
}

suite('what any call may be answered with stands with every operation', () => {
  for (const one of operations) {
    const { path } = exampleCall(one)
    const [example] = requestExamples(one)
    const call = { method: one.method.toUpperCase(), path, ...(example && { body: JSON.stringify(example[1].value) }) }
    const asks = Object.entries({ ...ofAll, ...(one.security.length > 0 ? ofUsers : {}) })
    for (const [code, ask] of asks) {
      // Object.entries forgets the keys' type.
      test(`${one.name} ${code}`, async () => assertProblemDescribed(await ask(call), code as ProblemCode, one))
    }
  }
})
