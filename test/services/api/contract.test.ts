import assert from 'node:assert/strict'
import test from 'node:test'

import { z } from 'zod'

import { problemCodes, problemTable } from '../../../services/api/problems.ts'
import { openTestApi } from '../../support/api.ts'

const { app, request } = await openTestApi()

const parameter = z.object({
  name: z.string(),
  in: z.enum(['path', 'query', 'header']),
  required: z.boolean().optional(),
})
const content = z.record(z.string(), z.object({ schema: z.looseObject({}) }))
const headers = z.record(z.string(), z.looseObject({ schema: z.looseObject({ const: z.string().optional() }) }))
const operation = z.looseObject({
  summary: z.string().min(5),
  parameters: z.array(parameter).default([]),
  security: z.array(z.object({ bearer: z.array(z.never()) })).default([]),
  requestBody: z.object({ required: z.literal(true), content }).optional(),
  responses: z.record(
    z.string().regex(/^[2-5]\d\d$/),
    z.object({ description: z.string().min(5), headers: headers.default({}), content: content.optional() }),
  ),
})
/** What this suite relies on. Source: OpenAPI Specification 3.1.0. */
const documentSchema = z.object({
  openapi: z.literal('3.1.0'),
  info: z.object({ title: z.string(), version: z.string() }),
  components: z.object({
    schemas: z.record(z.string(), z.looseObject({})),
    parameters: z.record(z.string(), z.unknown()),
    securitySchemes: z.object({
      bearer: z.object({ type: z.literal('http'), scheme: z.literal('bearer'), bearerFormat: z.string() }),
    }),
  }),
  paths: z.record(
    z.string().startsWith('/'),
    z.record(z.enum(['get', 'head', 'post', 'delete']), operation.optional()),
  ),
})

const answer = await request('GET', '/openapi.json', { token: '' })
const document = documentSchema.parse(answer.json)
const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).flatMap(([method, one]) => (one ? [{ path, method, ...one }] : [])),
)

/** Routes as the OpenAPI document writes them, where what takes GET takes HEAD; those for preflights, and those that only refuse a method, are left out. */
const routes = new Set(
  app.routes
    .filter(({ method }) => method !== 'ALL' && method !== 'OPTIONS')
    .flatMap(({ method, path }) =>
      (method === 'GET' ? ['get', 'head'] : [method.toLowerCase()]).map((name) => ({ name, path })),
    )
    .map(({ name, path }) => `${name} ${path.replace(':key{.+}', '{key}')}`),
)

test('the document has exactly the routes that the API has', () => {
  assert.ok(routes.size >= 15, `${routes.size} routes`)
  assert.deepEqual(operations.map(({ method, path }) => `${method} ${path}`).sort(), [...routes].sort())
})

test('every reference leads somewhere', () => {
  const references = [...answer.text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(
    ([, name = '']) => name,
  )
  assert.ok(references.length > 10)
  for (const name of references) assert.ok(name in document.components.schemas, name)
})

test('every placeholder of a path is declared as a required parameter', () => {
  for (const { path, parameters } of operations) {
    const placeholders = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
    const declared = parameters.filter((one) => one.in === 'path' && one.required).map(({ name }) => name)
    assert.deepEqual(declared, placeholders, path)
  }
})

test('all calls for images need a token, and only those', () => {
  for (const { path, security } of operations) assert.equal(security.length > 0, path.startsWith('/images'), path)
})

test('every error is a problem document under its status', () => {
  for (const { path, method, responses } of operations) {
    for (const [status, { content: forms = {} }] of Object.entries(responses)) {
      if (Number(status) < 400 || path === '/readyz' || method === 'head') continue
      assert.deepEqual(Object.keys(forms), ['application/problem+json'], `${path} ${status}`)
    }
  }
})

test('a 405 tells the methods that its path has in the document, and no others', () => {
  for (const { path, responses } of operations) {
    const methods = operations.filter((one) => one.path === path).map(({ method }) => method.toUpperCase())
    assert.equal(responses['405']?.headers['Allow']?.schema.const, methods.join(', '), path)
  }
})

test('what HEAD answers is what GET answers, but for the body', () => {
  for (const { path, method, responses } of operations.filter((one) => one.method === 'head')) {
    const get = operations.find((one) => one.path === path && one.method === 'get')
    assert.deepEqual(
      responses,
      Object.fromEntries(
        Object.entries(get?.responses ?? {}).map(([status, { description, headers }]) => [
          status,
          { description, headers },
        ]),
      ),
      `${method} ${path}`,
    )
  }
})

test('every error code is in the document', () => {
  const { properties } = z
    .object({ properties: z.object({ code: z.object({ enum: z.array(z.string()) }) }) })
    .parse(document.components.schemas['Problem'])
  assert.deepEqual(properties.code.enum, problemCodes)
})

/** Every code that an operation can answer with; the others come before a route is found. */
const beforeRoutes = ['route_not_found']

test('every error code of a route stands with an operation, under its status', () => {
  for (const code of problemCodes.filter((name) => !beforeRoutes.includes(name))) {
    const status = String(problemTable[code].status)
    assert.ok(
      operations.some(({ responses }) => responses[status]?.description.includes(`\`${code}\``)),
      code,
    )
  }
})

test('the fields of requests and answers are in snake_case', () => {
  for (const [name, { properties = {} }] of Object.entries(document.components.schemas)) {
    for (const field of Object.keys(properties as object)) assert.match(field, /^[a-z0-9]+(_[a-z0-9]+)*$/, name)
  }
})

test('/docs shows every operation and loads nothing from elsewhere', async () => {
  const { status, headers, text } = await request('GET', '/docs', { token: '' })
  assert.equal(status, 200)
  assert.match(headers.get('content-type') ?? '', /^text\/html/)
  for (const { method, path } of operations.filter((one) => one.method !== 'head')) {
    assert.ok(text.includes(`${method.toUpperCase()} ${path}`), path)
  }
  assert.doesNotMatch(text, /<(script|link|img|iframe|form)|\b(src|action)=|@import|url\(/i)
  assert.deepEqual(
    [...text.matchAll(/\bhref="([^"]*)"/g)].map(([, to]) => to),
    ['/openapi.json'],
  )
  assert.doesNotMatch(text, /\[object |undefined/)
})
