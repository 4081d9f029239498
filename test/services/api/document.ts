import assert from 'node:assert/strict'

import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { z } from 'zod'

import { securityHeaders } from '../../../services/api/answers.ts'
import { problemTable, type ProblemCode } from '../../../services/api/problems.ts'
import { assertProblem, openTestApi, type Answer } from '../../support/api.ts'

const forms = z.record(
  z.string(),
  z.object({ schema: z.looseObject({}), examples: z.record(z.string(), z.object({ value: z.unknown() })).default({}) }),
)
const response = z.object({
  description: z.string(),
  headers: z
    .record(z.string(), z.object({ required: z.boolean().default(false), schema: z.looseObject({}) }))
    .default({}),
  content: forms.default({}),
})
const parameter = z.object({
  name: z.string(),
  in: z.string(),
  schema: z.looseObject({ example: z.string().optional() }),
})
const operation = z.object({
  security: z.array(z.unknown()).default([]),
  parameters: z.array(parameter).default([]),
  requestBody: z.object({ content: forms }).optional(),
  responses: z.record(z.string(), response),
})
const documentSchema = z.object({
  info: z.object({ description: z.string() }),
  components: z.object({
    schemas: z.record(z.string(), z.looseObject({ properties: z.record(z.string(), z.looseObject({})) })),
  }),
  paths: z.record(z.string(), z.record(z.string(), operation)),
})

const { request } = await openTestApi()

/** The document as it is served. */
export const document = documentSchema.parse((await request('GET', '/openapi.json', { token: '' })).json)
export const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, one]) => ({ name: `${method} ${path}`, path, method, ...one })),
)
export type Operation = (typeof operations)[number]

export const findOperation = (path: string, method: string): Operation => {
  const found = operations.find((one) => one.path === path && one.method === method)
  return found ?? assert.fail(`${method} ${path} is not in the document`)
}

/** The path with the example of its parameter, and the header parameters' examples. */
export const exampleCall = ({ path, parameters }: Operation) => {
  const examples = (where: string) =>
    parameters
      .filter((one) => one.in === where)
      .flatMap(({ name, schema: { example } }) => (example === undefined ? [] : [[name, example] as const]))
  const key = new Map(examples('path')).get('key')
  return { key, path: path.replace('{key}', key ?? ''), headers: Object.fromEntries(examples('header')) }
}

export const requestExamples = ({ requestBody }: Operation) =>
  Object.values(requestBody?.content ?? {}).flatMap(({ examples }) => Object.entries(examples))

/** A form that names fields allows no others here: what the document does not name is not to be answered. */
const close = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value).replaceAll('"#/components', '"api#/components'), (_, node: unknown) =>
    typeof node === 'object' && node !== null && 'properties' in node && !('additionalProperties' in node)
      ? { ...node, additionalProperties: false }
      : node,
  )

const ajv = addFormats.default(new Ajv2020({ strict: false }))
ajv.addSchema({ $id: 'api', components: close(document.components) })

export const validate = (schema: object, value: unknown, about: string) => {
  const isValid = ajv.compile(close(schema) as object) // made of an object
  assert.ok(isValid(value), `${about}: ${ajv.errorsText(isValid.errors)} in ${JSON.stringify(value)}`)
}

/** Headers that HTTP itself or CORS speak of. */
const general = /^(content-(type|length)|date|connection|keep-alive|transfer-encoding|vary|access-control-.*)$/

/** What the document's introduction names in backticks. */
export const introduced = [...document.info.description.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name)
const introducedOfAll = Object.keys(securityHeaders).filter(
  (name) => name !== 'Cache-Control' && introduced.includes(name),
)

/** Every header of an answer is one of these, or a header of all answers that the introduction names. */
export const assertHeadersDescribed = ({ headers }: Answer, described: readonly string[], about: string) => {
  const declared = new Set([...described, ...introducedOfAll].map((header) => header.toLowerCase()))
  const missing = [...headers.keys()].filter((header) => !general.test(header) && !declared.has(header))
  assert.deepEqual(missing, [], `${about} has headers of which the document says nothing`)
}

/** What the document says and no answer has shown yet: each status of each operation, and each of its headers. */
export const unmet = new Set(
  operations.flatMap(({ name, responses }) =>
    Object.entries(responses).flatMap(([status, { headers }]) =>
      ['', ...Object.keys(headers)].map((header) => `${name} ${status} ${header}`),
    ),
  ),
)

const assertHeadersAsDescribed = (answer: Answer, described: z.infer<typeof response>['headers'], about: string) => {
  assertHeadersDescribed(answer, Object.keys(described), about)
  unmet.delete(`${about} `)
  for (const [header, { required, schema }] of Object.entries(described)) {
    const value = answer.headers.get(header)
    assert.ok(value !== null || !required, `${about} lacks ${header}`)
    if (value === null) continue
    validate(schema, value, `${about} ${header}`)
    unmet.delete(`${about} ${header}`)
  }
}

/** An answer of an operation is as the document says: its status, its headers and their values, its form. */
export const assertDescribed = (answer: Answer, { name, responses }: Operation) => {
  const about = `${name} ${answer.status}`
  const described = responses[String(answer.status)]
  assert.ok(described, `${about} is not in the document`)
  assertHeadersAsDescribed(answer, described.headers, about)
  if (answer.text === '') {
    assert.deepEqual(described.content, {}, about)
    return
  }
  const type = answer.headers.get('content-type')?.split(';')[0] ?? ''
  const form = described.content[type]
  assert.ok(form, `${about} is ${type}`)
  validate(form.schema, type.endsWith('json') ? answer.json : answer.text, about)
}

/** A problem with this code, as the operation describes it; HEAD tells no more than its status and headers. */
export const assertProblemDescribed = (answer: Answer, code: ProblemCode, one: Operation) => {
  if (one.method === 'head') assert.equal(answer.status, problemTable[code].status)
  else assertProblem(answer, code)
  assert.ok(one.responses[String(answer.status)]?.description.includes(`\`${code}\``), `${one.name} ${code}`)
  assertDescribed(answer, one)
}
