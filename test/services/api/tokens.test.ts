import assert from 'node:assert/strict'
import test from 'node:test'

import { SignJWT, UnsecuredJWT, type JWTPayload } from 'jose'

import { openIdentity } from '../../../services/api/identity.ts'
import { assertProblem, openTestApi, signTestToken, testKey, testSecret, type TestClaims } from '../../support/api.ts'

const { app, request } = await openTestApi()
const nowSeconds = Math.floor(Date.now() / 1000)

/** Whatever is asked for, the token is judged first and alike. */
const routes: [string, string][] = [
  ['POST', '/images/presigned-url'],
  ['POST', '/images/presigned-url/scan'],
  ['GET', `/images/${testKey()}/metadata`],
  ['DELETE', `/images/${testKey()}`],
  ['DELETE', '/images/no-key-at-all'],
]

const send = async (authorization: string | undefined, method = 'POST', path = '/images/presigned-url') => {
  const headers = authorization === undefined ? {} : { Authorization: authorization }
  const response = await app.request(path, { method, headers })
  const text = await response.text()
  return { response, status: response.status, headers: response.headers, text, json: JSON.parse(text) as unknown }
}

test('without a token every call is refused, with the scheme that is wanted', async () => {
  for (const [method, path] of routes) {
    const answer = await send(undefined, method, path)
    const { detail } = assertProblem(answer, 'token_missing')
    assert.match(detail, /Authorization: Bearer <token>/)
    assert.equal(answer.headers.get('www-authenticate'), 'Bearer')
  }
})

const good = await signTestToken()
const [head = '', payload = '', signature = ''] = good.split('.')

const badHeaders: [string, string][] = [
  ['no scheme', good],
  ['another scheme', `Basic ${good}`],
  ['the scheme alone', 'Bearer'],
  ['an empty header', ''],
  ['two tokens', `Bearer ${good}, Bearer ${good}`],
  ['garbage', 'Bearer garbage'],
  ['three garbage parts', 'Bearer a.b.c'],
  ['a space inside', `Bearer ${head} ${payload}.${signature}`],
  ['no signature', `Bearer ${head}.${payload}.`],
  ['a part too many', `Bearer ${good}.x`],
  [
    'a changed payload',
    `Bearer ${head}.${Buffer.from('{"sub":"user-2","exp":9e9}').toString('base64url')}.${signature}`,
  ],
]

for (const [what, authorization] of badHeaders) {
  test(`an Authorization header with ${what} is refused`, async () => {
    for (const [method, path] of routes) {
      const answer = await send(authorization, method, path)
      assertProblem(answer, 'token_invalid')
      assert.equal(answer.headers.get('www-authenticate'), 'Bearer error="invalid_token"')
    }
  })
}

test('a token with any other last character, or with padding, is refused', async () => {
  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const others = Array.from(digits, (digit) => `${good.slice(0, -1)}${digit}`).filter((token) => token !== good)
  for (const token of [...others, `${good}=`, `${head}=.${payload}.${signature}`]) {
    assertProblem(await send(`Bearer ${token}`), 'token_invalid')
  }
  assertProblem(await send(`Bearer ${good}`), 'invalid_json')
})

test('a token of more than 8,192 characters is refused unread, however right it is', async () => {
  for (const [note, code] of [
    [5_900, 'invalid_json'],
    [6_100, 'token_invalid'],
  ] as const) {
    assertProblem(await send(`Bearer ${await signTestToken({ note: 'a'.repeat(note) })}`), code)
  }
})

test('the scheme may be written in any case', async () => {
  for (const scheme of ['bearer', 'BEARER', 'Bearer  ']) {
    assertProblem(await send(`${scheme} ${good}`), 'invalid_json')
  }
})

const refuse = async (token: string, detail: RegExp, api = request) => {
  const answer = await api('POST', '/images/presigned-url', { token })
  assert.match(assertProblem(answer, 'token_invalid').detail, detail)
}

const notAccepted = /not one that this service accepts/

test('an unsigned token (alg none) is refused', async () => {
  await refuse(new UnsecuredJWT({ sub: 'user-1', exp: nowSeconds + 60 }).encode(), /at most|not one that/)
  const bare = Buffer.from('{"alg":"none"}').toString('base64url')
  await refuse(`${bare}.${payload}.${signature}`, notAccepted)
})

test('a token of another key or algorithm is refused', async () => {
  await refuse(await signTestToken({}, 'another-secret-of-at-least-32-characters'), notAccepted)
  await refuse(await signTestToken({}, testSecret, 'HS512'), notAccepted)
})

test('a token with a critical header that nobody understands is refused', async () => {
  const header = { alg: 'HS256', crit: ['x'], x: 1 }
  const token = await new SignJWT({ sub: 'user-1', exp: nowSeconds + 60 })
    .setProtectedHeader(header)
    .sign(Buffer.from(testSecret), { crit: { x: true } })
  await refuse(token, notAccepted)
})

const badClaims: [string, TestClaims, RegExp][] = [
  ['no sub', { sub: undefined }, /has no claim "sub"/],
  ['no exp', { exp: undefined }, /has no claim "exp"/],
  ['a later nbf', { nbf: nowSeconds + 60 }, /not valid yet/],
]

for (const [what, claims, detail] of badClaims) {
  test(`a token with ${what} is refused`, async () => refuse(await signTestToken(claims), detail))
}

test('a token whose sub is no text, or whose exp is no number, is refused', async () => {
  // The type forbids what an issuer may send all the same.
  const wrong = (claims: unknown) => signTestToken(claims as JWTPayload)
  for (const sub of [7, null, {}, ['user-1'], true]) await refuse(await wrong({ sub }), /claim "sub" is not/)
  for (const exp of ['soon', null, {}]) await refuse(await wrong({ exp }), /claim "exp" is not/)
})

test('an expired token is told from a wrong one; clocks may differ by 5 s', async () => {
  const answer = await request('POST', '/images/presigned-url', {
    token: await signTestToken({ exp: nowSeconds - 60 }),
  })
  assertProblem(answer, 'token_expired')
  assert.equal(answer.headers.get('www-authenticate'), 'Bearer error="invalid_token"')
  const justNow = await signTestToken({ exp: Math.floor(Date.now() / 1000) - 1, nbf: nowSeconds + 3 })
  assertProblem(await request('POST', '/images/presigned-url', { token: justNow }), 'invalid_json')
})

const badSubjects: [string, string, RegExp][] = [
  ['empty', '', /is empty/],
  ['a lone surrogate', 'user-\ud800', /not Unicode/],
  ['of 513 letters', 'a'.repeat(513), /at most 512 characters/],
  ['of 171 slashes, which are 3 characters each', '/'.repeat(171), /at most 512 characters/],
]

for (const [what, sub, detail] of badSubjects) {
  test(`a subject that is ${what} is refused with 403`, async () => {
    const token = await signTestToken({ sub })
    for (const [method, path] of routes) {
      const problem = assertProblem(await send(`Bearer ${token}`, method, path), 'subject_not_usable')
      assert.match(problem.detail, detail)
    }
  })
}

test('a subject of 512 letters is taken', async () => {
  assertProblem(
    await request('POST', '/images/presigned-url', { token: await signTestToken({ sub: 'a'.repeat(512) }) }),
    'invalid_json',
  )
})

test('issuer and audience are checked when they are configured', async () => {
  const config = { JWT_SECRET: testSecret, JWT_ISSUER: 'https://login.example.com/', JWT_AUDIENCE: 'image-intake' }
  const strict = await openTestApi({ identify: openIdentity(config) })
  const right = { iss: 'https://login.example.com/', aud: ['others', 'image-intake'] }
  const ask = async (claims: JWTPayload) =>
    strict.request('POST', '/images/presigned-url', { token: await signTestToken(claims) })
  assertProblem(await ask(right), 'invalid_json')
  const wrong: [JWTPayload, RegExp][] = [
    [{ ...right, iss: 'https://login.example.com' }, /claim "iss" is not the one/],
    [{ ...right, aud: 'others' }, /claim "aud" is not the one/],
    [{ aud: 'image-intake' }, /no claim "iss"/],
    [{ iss: right.iss }, /no claim "aud"/],
  ]
  for (const [claims, detail] of wrong) await refuse(await signTestToken(claims), detail, strict.request)
})

test('a token is verified once and remembered until it expires', async (t) => {
  const identify = openIdentity({ JWT_SECRET: testSecret })
  const { subtle } = globalThis.crypto
  const verify = subtle.verify.bind(subtle)
  const verified = t.mock.method(subtle, 'verify', (...parts: Parameters<typeof verify>) => verify(...parts))
  const token = `Bearer ${await signTestToken({ exp: nowSeconds + 100 })}`
  for (let call = 0; call < 20; call++) assert.equal(await identify(token), 'user-1')
  assert.equal(verified.mock.callCount(), 1)
  t.mock.timers.enable({ apis: ['Date'], now: (nowSeconds + 104) * 1000 })
  assert.equal(await identify(token), 'user-1', 'clocks may differ by 5 s')
  t.mock.timers.setTime((nowSeconds + 106) * 1000)
  await assert.rejects(identify(token), { code: 'token_expired' })
})

test('a token that was refused is not remembered for another', async () => {
  const identify = openIdentity({ JWT_SECRET: testSecret })
  assert.equal(await identify(`Bearer ${good}`), 'user-1')
  const forged = `Bearer ${head}.${payload}.${signature.split('').toReversed().join('')}`
  for (let call = 0; call < 2; call++) await assert.rejects(identify(forged), { code: 'token_invalid' })
  const other = `Bearer ${await signTestToken({ sub: 'user-2' })}`
  assert.equal(await identify(other), 'user-2')
  assert.equal(await identify(`Bearer ${good}`), 'user-1')
})
