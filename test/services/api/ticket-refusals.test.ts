import assert from 'node:assert/strict'
import test from 'node:test'

import { imageTypes } from '#shared/domain/images/image-types.ts'

import { assertProblem, openTestApi } from '../../support/api.ts'

const { askTicket, request } = await openTestApi()
const good = { purpose: 'scan', content_type: 'image/jpeg', content_length: 48_213 }
const absent = undefined

/** What is wrong with one field alone. */
const refusals = async (fields: Record<string, unknown>, path = '') => {
  const { detail, errors = [] } = assertProblem(await askTicket({ ...good, ...fields }, path), 'invalid_request')
  for (const error of errors) assert.ok(detail.includes(error.detail), detail)
  return errors
}

const lengthRule = 'must be a whole number of bytes from 1 to 10485760'

for (const length of [0, 10_485_761, -1, 1.5, 2 ** 53, 1e300, '48213', null, true, [5], {}, absent]) {
  test(`the length ${JSON.stringify(length)} is refused with the rule`, async () => {
    assert.deepEqual(await refusals({ content_length: length }), [{ pointer: '/content_length', detail: lengthRule }])
  })
}

for (const purpose of ['avatar', 'SCAN', '', 'constructor', '__proto__', null, 1, ['scan'], absent]) {
  test(`the purpose ${JSON.stringify(purpose)} is refused with the list of purposes`, async () => {
    const detail = 'must be one of scan, profile, chat'
    assert.deepEqual(await refusals({ purpose }), [{ pointer: '/purpose', detail }])
  })
}

for (const type of [null, 3, ['image/jpeg'], {}, absent]) {
  test(`the type ${JSON.stringify(type)} is refused as a wrong field`, async () => {
    const detail = `must be one of ${imageTypes.join(', ')}`
    assert.deepEqual(await refusals({ content_type: type }), [{ pointer: '/content_type', detail }])
  })
}

const refusedTypes: [string, RegExp][] = [
  ['image/heic', /convert the photo to JPEG/],
  ['image/HEIF', /convert the photo to JPEG/],
  ['image/svg+xml', /draw it to a PNG/],
  ['image/jpeg; charset=utf-8', /without parameters/],
  ['text/html;image/png', /without parameters/],
  ['image/jpeg,image/png', /not one of/],
  ['image/bmp', /not one of/],
  ['text/html', /not one of/],
  ['image/jpeg\r\nx-evil: 1', /not one of/],
  ['image', /not one of/],
  ['', /not one of/],
  ['*/*', /not one of/],
]

for (const [type, hint] of refusedTypes) {
  test(`the type ${JSON.stringify(type)} is refused with the allowed list and what to do`, async () => {
    const answer = await askTicket({ ...good, content_type: type })
    const { detail, errors } = assertProblem(answer, 'content_type_not_allowed')
    assert.match(detail, hint)
    assert.ok(detail.includes(imageTypes.join(', ')), detail)
    assert.deepEqual(errors, [{ pointer: '/content_type', detail }])
  })
}

const digest = Buffer.alloc(32, 7)
const checksums: [string, unknown][] = [
  ['hex', digest.toString('hex')],
  ['base64url', Buffer.alloc(32, 0xff).toString('base64url')],
  ['base64 without padding', digest.toString('base64').replace('=', '')],
  ['base64 with loose last bits', digest.toString('base64').replace(/.=$/, 'd=')],
  ['base64 of 31 bytes', digest.subarray(1).toString('base64')],
  ['empty', ''],
  ['a number', 7],
  ['null', null],
]

for (const [what, checksum_sha256] of checksums) {
  test(`a checksum that is ${what} is refused with the rule`, async () => {
    const [error] = await refusals({ checksum_sha256 })
    assert.equal(error?.pointer, '/checksum_sha256')
    assert.match(error.detail, /base64 of the file's SHA-256: 44 characters/)
  })
}

test('an unknown field is refused by its pointer, with the signs of pointers escaped', async () => {
  const detail = 'is not a field of this request'
  assert.deepEqual(await refusals({ filename: 'x.jpg', 'a/b~c': 1 }), [
    { pointer: '/filename', detail },
    { pointer: '/a~1b~0c', detail },
  ])
})

test('all wrong fields are named at once', async () => {
  const errors = await refusals({ purpose: 'x', content_length: 0, checksum_sha256: '', more: 1 })
  assert.deepEqual(errors.map(({ pointer }) => pointer).sort(), [
    '/checksum_sha256',
    '/content_length',
    '/more',
    '/purpose',
  ])
})

test('thousands of unknown fields get an answer that is smaller than the request', async () => {
  const body = JSON.stringify(Object.fromEntries(Array.from({ length: 1500 }, (_, index) => [`f${index}`, 1])))
  const answer = await request('POST', '/images/presigned-url', { body })
  assertProblem(answer, 'invalid_request')
  assert.ok(answer.text.length < 2500, `${answer.text.length} characters`)
})

const raw = (body: string | ReadableStream, path = '', headers = {}) =>
  request('POST', `/images/presigned-url${path}`, { body, headers })

for (const body of ['', ' ', '{', 'purpose=scan', '{"purpose":"scan",}', "{'purpose':'scan'}", 'NaN', '\0', '\ufffd']) {
  test(`a body that is not JSON (${JSON.stringify(body)}) is refused with an example`, async () => {
    for (const path of ['', '/scan']) {
      const { detail } = assertProblem(await raw(body, path), 'invalid_json')
      assert.match(detail, /Send a JSON object, such as \{"purpose":"scan"/)
    }
  })
}

for (const body of ['[]', '[{"purpose":"scan"}]', 'null', '"scan"', '5', 'true', '1e999']) {
  test(`JSON that is no object (${body}) is refused as such`, async () => {
    for (const path of ['', '/scan']) {
      const { errors } = assertProblem(await raw(body, path), 'invalid_request')
      assert.deepEqual(errors, [{ pointer: '', detail: 'must be a JSON object' }])
    }
  })
}

test('JSON of 1,000 levels is refused like any other', async () => {
  for (const [open, close] of [
    ['[', ']'],
    ['{"a":', '}'],
  ] as const) {
    const deep = `${open.repeat(1000)}1${close.repeat(1000)}`
    assertProblem(await raw(deep), 'invalid_request')
    assertProblem(await raw(deep, '/scan'), 'invalid_request')
    assertProblem(await raw(JSON.stringify(good).replace('48213', deep)), 'invalid_request')
  }
})

test('a field named __proto__ neither passes nor pollutes', async () => {
  for (const path of ['', '/scan']) {
    const answer = await raw('{"__proto__":{"purpose":"scan","content_type":"image/png","content_length":5}}', path)
    assertProblem(answer, 'invalid_request')
    const beside = await raw(
      '{"__proto__":{"x":1},"purpose":"scan","content_type":"image/png","content_length":5}',
      path,
    )
    const { errors } = assertProblem(beside, 'invalid_request')
    assert.deepEqual(errors, [{ pointer: '/__proto__', detail: 'is not a field of this request' }])
  }
  assert.equal(Object.hasOwn(Object.prototype, 'purpose') || 'x' in {}, false)
})

test('a body of 1 MB is refused, with and without a content length', async () => {
  const text = `${JSON.stringify(good)}${' '.repeat(1_000_000)}`
  const { detail } = assertProblem(await raw(text, '', { 'Content-Length': String(text.length) }), 'body_too_large')
  assert.match(detail, /16384 bytes/)
  assertProblem(await raw(new Blob([text]).stream()), 'body_too_large')
  assertProblem(await raw(new Blob([text]).stream(), '', { 'Transfer-Encoding': 'chunked' }), 'body_too_large')
})

test('the body may have 16,384 bytes and no more', async () => {
  const whole = JSON.stringify(good)
  for (const wrap of [(text: string) => text, (text: string) => new Blob([text]).stream()]) {
    assert.equal((await raw(wrap(whole.padEnd(16_384)))).status, 200)
    assertProblem(await raw(wrap(whole.padEnd(16_385))), 'body_too_large')
  }
})
