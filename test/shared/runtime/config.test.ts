import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { z } from 'zod'

import {
  booleanSchema,
  ConfigError,
  listSchema,
  portSchema,
  readConfig,
  urlSchema,
  variable,
  wholeNumber,
  wholeUrlSchema,
  type Variables,
} from '#shared/runtime/config.ts'

const complaint = (variables: Variables, environment: Record<string, string>): string => {
  try {
    readConfig(variables, environment)
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return error.message
  }
  return 'no complaint'
}
const port = variable('the port of the API', '3000', portSchema)

suite('readConfig', () => {
  test('gives every value in its own type', () => {
    const config = readConfig(
      {
        PORT: port,
        CDN_BASE_URL: variable('where images are read', 'https://cdn.example.com', urlSchema),
        CORS_ORIGINS: variable('who may call', 'https://a.example', listSchema),
        FORCE: variable('path style', 'true', booleanSchema.default(false)),
        GROUP: variable('the group', 'a', z.string().optional()),
      },
      { PORT: '0', CDN_BASE_URL: 'https://cdn.example.com/images//', CORS_ORIGINS: ' a , ,b,' },
    )
    const typed: {
      PORT: number
      CDN_BASE_URL: string
      CORS_ORIGINS: readonly string[]
      FORCE: boolean
      GROUP?: string | undefined
    } = config
    assert.deepEqual(typed, {
      PORT: 0,
      CDN_BASE_URL: 'https://cdn.example.com/images',
      CORS_ORIGINS: ['a', 'b'],
      FORCE: false,
      GROUP: undefined,
    })
  })

  test('lists every problem with what was wrong and what would be right', () => {
    const bucket = variable('the bucket of the images', 'images-1', z.string())
    assert.equal(
      complaint({ PORT: port, S3_BUCKET: bucket }, { PORT: 'abc' }),
      'PORT: "abc" is not a whole number from 0 to 65535. For example: PORT=3000\n' +
        'S3_BUCKET is not set (the bucket of the images). For example: S3_BUCKET=images-1',
    )
  })

  test('takes an empty string for not set', () => {
    assert.match(complaint({ PORT: port }, { PORT: '' }), /^PORT is not set/)
    assert.equal(readConfig({ PORT: { ...port, schema: portSchema.default(3000) } }, { PORT: '' }).PORT, 3000)
  })

  test('never prints the value of a secret, even when the schema does', () => {
    const secret = (schema: z.ZodType<string>) => variable('the key', 'openssl rand -hex 32', schema, { secret: true })
    const short = complaint(
      { KEY: secret(z.string().min(32, { error: 'is shorter than 32 characters' })) },
      { KEY: 'hunter2' },
    )
    assert.match(short, /^KEY: its value \(a secret, not shown\) is shorter than 32 characters\./)
    const telling = z.string().refine(() => false, { error: ({ input }) => `is wrong: ${String(input)}` })
    assert.ok(!complaint({ KEY: secret(telling) }, { KEY: 'hunter2' }).includes('hunter2'))
  })

  test("never prints a URL's user and password", () => {
    const url = variable('where', 'https://a.example', urlSchema)
    for (const text of [
      'https://user:hunter2@a.example',
      'https://hunter2@a.example/b',
      'ftp://user:hunter2@a.example',
    ]) {
      const said = complaint({ WHERE: url }, { WHERE: text })
      assert.match(said, /^WHERE: ".*\[hidden\]@a\.example.*" is not an http or https URL without user, password/)
      assert.ok(!said.includes('hunter2'), said)
    }
  })

  test("shows what can't be seen in a value, and words zod's own messages as a reason", () => {
    assert.match(complaint({ PORT: port }, { PORT: '3000\r' }), /"3000\\r" is not a whole number/)
    const choice = variable('which', 'a', z.enum(['a', 'b']))
    assert.match(complaint({ CHOICE: choice }, { CHOICE: 'c' }), /^CHOICE: "c" is not right \(.*a.*b.*\)\. For/)
  })
})

suite('schemas', () => {
  const accepts = (schema: z.ZodType, text: string) => schema.safeParse(text).success

  test('a whole number is digits within its range', () => {
    const schema = wholeNumber({ min: 1, max: 100 })
    for (const text of ['1', '100', '042']) assert.ok(accepts(schema, text), text)
    for (const text of ['0', '101', '-1', '1.5', '1e2', '0x10', ' 1', '1 ', 'NaN'])
      assert.ok(!accepts(schema, text), text)
    assert.equal(wholeNumber({ min: -5 }).parse('-5'), -5)
    assert.ok(!accepts(wholeNumber(), '9999999999999999'))
  })

  test('a URL is http or https, whole, and one that paths can be appended to', () => {
    for (const text of ['http://127.0.0.1:4566', 'HTTPS://a.example/b/']) assert.ok(accepts(urlSchema, text), text)
    for (const text of [
      'a.example',
      'ftp://a.example',
      'http:a.example',
      'http://',
      'http://a b',
      'http://a/?b',
      'http://a/#b',
      'http://a\\b',
      'http://user@a',
      'http://user:password@a/b',
      'http://@a',
    ])
      assert.ok(!accepts(urlSchema, text), text)
    assert.ok(accepts(urlSchema, 'http://a/b@c'))
  })

  test('a URL that is asked as it stands may have a query, and keeps its last slash', () => {
    for (const text of ['http://a', 'https://a.example/keys/?policy=b@c/'])
      assert.equal(wholeUrlSchema.parse(text), text)
    for (const text of ['a.example', 'http://a/#b', 'http://user@a/?b', 'http://a b', 'file:///keys']) {
      assert.ok(!accepts(wholeUrlSchema, text), text)
    }
  })

  test('a boolean is true or false, and a list has an entry', () => {
    assert.equal(booleanSchema.parse('true'), true)
    assert.equal(booleanSchema.parse('false'), false)
    for (const text of ['1', 'yes', 'TRUE']) assert.ok(!accepts(booleanSchema, text), text)
    assert.ok(!accepts(listSchema, ' , '))
  })
})
