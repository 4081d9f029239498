import assert from 'node:assert/strict'
import test, { suite } from 'node:test'

import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { z } from 'zod'

import { securityHeaders } from '../../../services/api/answers.ts'
import { limitUsers } from '../../../services/api/limits.ts'
import { problemCodes, problemTable } from '../../../services/api/problems.ts'
import { assertProblem, openTestApi, type Answer } from '../../support/api.ts'
import { provocations } from './provoked.ts'

const forms = z.record(
  z.string(),
  z.object({ schema: z.looseObject({}), examples: z.record(z.string(), z.object({ value: z.unknown() })).default({}) }),
)
const response = z.object({
  description: z.string(),
  headers: z.record(z.string(), z.unknown()).default({}),
  content: forms.default({}),
})
const operation = z.object({
  security: z.array(z.unknown()).default([]),
  parameters: z
    .array(z.object({ name: z.string(), in: z.string(), schema: z.looseObject({ example: z.string().optional() }) }))
    .default([]),
  requestBody: z.object({ content: forms }).optional(),
  responses: z.record(z.string(), response),
})
const documentSchema = z.object({
  info: z.object({ description: z.string() }),
  components: z.object({ schemas: z.record(z.string(), z.looseObject({})) }),
  paths: z.record(z.string(), z.record(z.string(), operation)),
})

const api = await openTestApi({ limitUser: limitUsers({ perMinute: 1000 }) })
const document = documentSchema.parse((await api.request('GET', '/openapi.json')).json)
const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, one]) => ({ name: `${method} ${path}`, path, method, ...one })),
)

const ajv = addFormats.default(new Ajv2020({ strict: false }))
ajv.addSchema({ $id: 'api', components: document.components })
const validate = (schema: object, value: unknown, about: string) => {
  const absolute: unknown = JSON.parse(JSON.stringify(schema).replaceAll('"#/components', '"api#/components'))
  const isValid = ajv.compile(absolute as object) // made of an object a line above
  assert.ok(isValid(value), `${about}: ${ajv.errorsText(isValid.errors)} in ${JSON.stringify(value)}`)
}

/** Headers that HTTP, CORS or the document's introduction speak of. */
const general = /^(content-(type|length)|date|connection|keep-alive|transfer-encoding|vary|access-control-.*)$/
const introduced = new Set(
  Object.keys(securityHeaders)
    .filter((name) => name !== 'Cache-Control')
    .map((name) => name.toLowerCase()),
)

/** An answer of an operation is as the document says: its status, its headers, its form. */
const assertDescribed = ({ status, headers, text, json }: Answer, { name, responses }: (typeof operations)[number]) => {
  const described = responses[String(status)]
  assert.ok(described, `${name} answers ${status}, of which the document says nothing`)
  const declared = new Set(Object.keys(described.headers).map((header) => header.toLowerCase()))
  const missing = [...headers.keys()].filter(
    (header) => !general.test(header) && !introduced.has(header) && !declared.has(header),
  )
  assert.deepEqual(missing, [], `${name} ${status} has headers of which the document says nothing`)
  if (text === '') {
    assert.deepEqual(described.content, {}, `${name} ${status}`)
    return
  }
  const type = headers.get('content-type')?.split(';')[0] ?? ''
  const form = described.content[type]
  assert.ok(form, `${name} ${status} is ${type}`)
  if (json !== undefined) validate(form.schema, json, `${name} ${status}`)
}

const find = (path: string, method: string) => {
  const found = operations.find((one) => one.path === path && one.method === method)
  return found ?? assert.fail(`${method} ${path} is not in the document`)
}

suite('every example of a request, sent as it stands', () => {
  for (const one of operations) {
    const key = one.parameters.find((parameter) => parameter.in === 'path')?.schema.example ?? ''
    const path = one.path.replace('{key}', key)
    const bodies = Object.values(one.requestBody?.content ?? {}).flatMap(({ examples }) => Object.entries(examples))
    const requests: [string, unknown][] =
      bodies.length > 0 ? bodies.map(([name, { value }]) => [name, value]) : [['', undefined]]
    for (const [name, body] of requests) {
      test(`${one.name} ${name}`, async () => {
        if (key !== '') api.images.upload({ key, bytes: Buffer.from('x'), contentType: 'image/jpeg' })
        const answer = await api.request(one.method.toUpperCase(), path, {
          ...(one.security.length === 0 ? { token: '' } : {}),
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        })
        assert.ok(answer.status < 300, answer.text)
        assertDescribed(answer, one)
      })
    }
  }
})

test('every example of an answer has the form that is described', () => {
  let examples = 0
  for (const { name, responses } of operations) {
    for (const [status, { content }] of Object.entries(responses)) {
      for (const { schema, examples: shown } of Object.values(content)) {
        for (const [which, { value }] of Object.entries(shown)) {
          examples++
          validate(schema, value, `${name} ${status} ${which}`)
        }
      }
    }
  }
  assert.ok(examples > 50, `only ${examples} examples`)
})

test('an unchanged image and a store that is away are described too', async () => {
  const one = find('/images/{key}/metadata', 'get')
  const key = one.parameters.find((parameter) => parameter.in === 'path')?.schema.example ?? ''
  api.images.upload({ key, bytes: Buffer.from('x'), contentType: 'image/jpeg' })
  assertDescribed(await api.request('GET', `/images/${key}/metadata`, { headers: { 'If-None-Match': '*' } }), one)
  const waiting = await openTestApi({ problem: () => Promise.resolve('the image store does not answer') })
  assertDescribed(await waiting.request('GET', '/readyz', { token: '' }), find('/readyz', 'get'))
})

suite('every error, brought about for real, is described', { concurrency: true }, () => {
  for (const code of problemCodes) {
    test(code, async () => {
      const { path, method, ask } = provocations[code]
      const answer = await ask()
      assertProblem(answer, code)
      if (code === 'route_not_found' || code === 'method_not_allowed') {
        assert.ok(document.info.description.includes(`${problemTable[code].status} \`${code}\``))
        return
      }
      const one = find(path, method)
      assert.ok(one.responses[String(answer.status)]?.description.includes(`\`${code}\``), code)
      assertDescribed(answer, one)
    })
  }
})
