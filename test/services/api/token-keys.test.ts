import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { createServer, type ServerResponse } from 'node:http'
import test, { suite, type TestContext } from 'node:test'

import { exportJWK, SignJWT, type JWK } from 'jose'

import { listen } from '#shared/runtime/listen.ts'
import { openLog } from '#shared/runtime/log.ts'

import { openIdentity } from '../../../services/api/identity.ts'
import { asymmetricAlgorithms, publicKeySchema } from '../../../services/api/public-key.ts'
import { assertProblem, memoryStream, openTestApi, signTestToken } from '../../support/api.ts'
import { eventually } from '../../support/eventually.ts'

type Keys = { publicKey: KeyObject; privateKey: KeyObject }

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve })
const ed25519 = generateKeyPairSync('ed25519')
const p256 = ec('P-256')

const pem = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' })

const sign = ({ privateKey }: Keys, alg: string, header = {}) =>
  new SignJWT({ sub: 'user-1', exp: Math.floor(Date.now() / 1000) + 60 })
    .setProtectedHeader({ alg, ...header })
    .sign(privateKey)

const openApiWith = (key: KeyObject) =>
  openTestApi({ identify: openIdentity({ JWT_PUBLIC_KEY: publicKeySchema.parse(pem(key)) }) })

const ask = async ({ request }: Awaited<ReturnType<typeof openTestApi>>, token: string) =>
  request('GET', '/images/scans/none/metadata', { token })

const families: [string, Keys, string[]][] = [
  ['an RSA', rsa, ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']],
  ['a P-256', p256, ['ES256']],
  ['a P-384', ec('P-384'), ['ES384']],
  ['a P-521', ec('P-521'), ['ES512']],
  ['an Ed25519', ed25519, ['EdDSA', 'Ed25519']],
]

for (const [what, keys, algorithms] of families) {
  test(`with ${what} public key tokens of ${algorithms.join(', ')} are taken and no others`, async () => {
    const api = await openApiWith(keys.publicKey)
    for (const alg of algorithms) assertProblem(await ask(api, await sign(keys, alg)), 'image_not_found')
    for (const [, others, [alg = '']] of families.filter(([name]) => name !== what)) {
      assertProblem(await ask(api, await sign(others, alg)), 'token_invalid')
    }
  })

  test(`with ${what} public key a token signed by HS256 with that key's PEM as the secret is refused`, async () => {
    const api = await openApiWith(keys.publicKey)
    const text = pem(keys.publicKey)
    for (const secret of [text, text.trim(), text.replaceAll('\n', '\\n')]) {
      assertProblem(await ask(api, await signTestToken({}, secret)), 'token_invalid')
    }
  })
}

test('no algorithm with a shared secret is among those of public keys', () => {
  assert.deepEqual(
    asymmetricAlgorithms.filter((name) => /^(HS|none)/i.test(name)),
    [],
  )
})

test('a public key may have its line ends written as \\n', async () => {
  const identify = openIdentity({ JWT_PUBLIC_KEY: publicKeySchema.parse(pem(p256.publicKey).replaceAll('\n', '\\n')) })
  assert.equal(await identify(`Bearer ${await sign(p256, 'ES256')}`), 'user-1')
})

const badPems: [string, string, RegExp][] = [
  ['garbage', 'garbage', /not a public key in PEM form/],
  ['a cut key', pem(rsa.publicKey).slice(0, 100), /not a public key in PEM form/],
  ['a private key', p256.privateKey.export({ type: 'pkcs8', format: 'pem' }), /is a private key/],
  ['an X25519 key', pem(generateKeyPairSync('x25519').publicKey), /is a x25519 key, not RSA, EC/],
  ['a key of a strange curve', pem(ec('secp256k1').publicKey), /is a secp256k1 key, not RSA, EC/],
]

for (const [what, text, message] of badPems) {
  test(`${what} is no JWT_PUBLIC_KEY`, () => {
    assert.match(publicKeySchema.safeParse(text).error?.issues[0]?.message ?? '', message)
  })
}

/** A server of a key set, on a port of its own. */
const serveKeys = async (t: TestContext, respond: (response: ServerResponse) => void) => {
  const asked = { count: 0 }
  const server = createServer((_, response) => {
    asked.count++
    respond(response)
  })
  const { port } = await listen(server, '127.0.0.1', 0, 'PORT')
  const close = async () => {
    server.closeAllConnections()
    if (server.listening) await new Promise((resolve) => server.close(resolve))
  }
  t.after(close)
  const url = `http://127.0.0.1:${port}/jwks.json`
  const logged = memoryStream()
  const log = openLog({ name: 'api', destination: logged.stream })
  const api = await openTestApi({ identify: openIdentity({ JWKS_URL: url }, log) })
  return { api, asked, close, identityLog: logged.text }
}

const publish = async (kid: string, { publicKey }: Keys): Promise<JWK> => ({ ...(await exportJWK(publicKey)), kid })

suite('with JWKS_URL', () => {
  test('tokens of published keys are taken, found by kid, and the set is fetched once', async (t) => {
    const keys = await Promise.all([publish('one', p256), publish('two', ed25519), publish('three', rsa)])
    const { api, asked } = await serveKeys(t, (response) => response.end(JSON.stringify({ keys })))
    const tokens = await Promise.all([
      sign(p256, 'ES256', { kid: 'one' }),
      sign(ed25519, 'EdDSA', { kid: 'two' }),
      sign(rsa, 'RS256', { kid: 'three' }),
    ])
    for (const token of tokens) assertProblem(await ask(api, token), 'image_not_found')
    assertProblem(await ask(api, await sign(p256, 'ES256', { kid: 'four' })), 'token_invalid')
    assertProblem(await ask(api, await sign(ec('P-256'), 'ES256', { kid: 'one' })), 'token_invalid')
    assert.equal(asked.count, 1)
  })

  test('a published shared secret is not believed', async (t) => {
    const secret = 'a-published-secret-of-at-least-32-characters'
    const k = Buffer.from(secret).toString('base64url')
    const { api } = await serveKeys(t, (response) => response.end(JSON.stringify({ keys: [{ kty: 'oct', k }] })))
    assertProblem(await ask(api, await signTestToken({}, secret)), 'token_invalid')
  })

  const broken: [string, (response: ServerResponse) => void][] = [
    ['answers 500', (response) => response.writeHead(500).end()],
    ['answers no JSON', (response) => response.end('<html>')],
    ['answers no key set', (response) => response.end('{"keys":5}')],
    ['cuts the connection', (response) => response.destroy()],
    ['never answers', () => undefined],
  ]

  for (const [what, respond] of broken) {
    test(`an issuer that ${what} is a 503, not the token's fault`, async (t) => {
      const { api } = await serveKeys(t, respond)
      const answer = await ask(api, await sign(p256, 'ES256', { kid: 'one' }))
      assertProblem(answer, 'keys_unavailable')
      assert.equal(answer.headers.get('retry-after'), '5')
      assert.match(api.logText(), /"code":"keys_unavailable"/)
    })
  }

  test('an issuer that is not there is a 503, and when it comes back tokens are taken', async (t) => {
    const keys = [await publish('one', p256)]
    let away = true
    const { api, close } = await serveKeys(t, (response) =>
      away ? response.destroy() : response.end(JSON.stringify({ keys })),
    )
    const token = await sign(p256, 'ES256', { kid: 'one' })
    assertProblem(await ask(api, token), 'keys_unavailable')
    away = false
    assertProblem(await ask(api, token), 'image_not_found')
    await close()
    assertProblem(await ask(api, token), 'image_not_found')
  })

  const known = { kid: 'one' }

  test('known keys serve on while the issuer is away, and a flood of unknown ids asks it once', async (t) => {
    const keys = [await publish('one', p256)]
    let away = false
    const { api, asked } = await serveKeys(t, (response) =>
      away ? response.writeHead(500).end() : response.end(JSON.stringify({ keys })),
    )
    const token = async () => sign(p256, 'ES256', known)
    assertProblem(await ask(api, await token()), 'image_not_found')
    away = true
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 31_000 })
    const unknown = await sign(ec('P-256'), 'ES256', { kid: 'unknown' })
    const flood = await Promise.all(Array.from({ length: 50 }, () => ask(api, unknown)))
    for (const answer of flood) assertProblem(answer, 'keys_unavailable')
    assert.equal(asked.count, 2, 'once at first, once for the whole flood')
    for (let round = 0; round < 5; round++) assertProblem(await ask(api, unknown), 'keys_unavailable')
    assert.equal(asked.count, 2, 'not again so soon after a failure')
    assertProblem(await ask(api, await token()), 'image_not_found')
  })

  test('an issuer that is away when its keys are old locks nobody out', async (t) => {
    const keys = [await publish('one', p256)]
    let away = false
    const { api, identityLog } = await serveKeys(t, (response) =>
      away ? response.destroy() : response.end(JSON.stringify({ keys })),
    )
    assertProblem(await ask(api, await sign(p256, 'ES256', known)), 'image_not_found')
    away = true
    const later = Date.now() + 3_600_000
    t.mock.timers.enable({ apis: ['Date'], now: later })
    const claims = { sub: 'user-1', exp: Math.floor(later / 1000) + 60 }
    const token = await new SignJWT(claims).setProtectedHeader({ alg: 'ES256', ...known }).sign(p256.privateKey)
    assertProblem(await ask(api, token), 'image_not_found')
    t.mock.timers.reset()
    await eventually(() => identityLog().includes('could not renew the keys'), 'the failed renewal in the log')
  })

  test('tokens of a broken key are refused, the others of its set stay usable, and one line tells of it', async (t) => {
    const [good, weak] = [await publish('good', p256), generateKeyPairSync('rsa', { modulusLength: 1024 })]
    const broken: [string, unknown][] = [
      ['cut', { ...(await publish('cut', rsa)), n: 'AQ' }],
      ['weak', await publish('weak', weak)],
      ['wrong point', { ...(await publish('wrong point', p256)), x: 'AAAA' }],
      ['no base64', { ...(await publish('no base64', p256)), x: '*', y: 5 }],
      ['without its parts', { kty: 'RSA', kid: 'without its parts' }],
      ['private', { ...(await exportJWK(ec('P-256').privateKey)), kid: 'private' }],
    ]
    const keys = [null, 'key', 7, {}, { kid: 'good' }, ...broken.map(([, key]) => key), good]
    const { api, identityLog } = await serveKeys(t, (response) => response.end(JSON.stringify({ keys })))
    for (const [kid] of broken) {
      const token =
        kid.startsWith('w') || kid === 'cut' ? await sign(rsa, 'RS256', { kid }) : await sign(p256, 'ES256', { kid })
      assertProblem(await ask(api, token), 'token_invalid')
      assertProblem(await ask(api, await sign(p256, 'ES256', { kid })), 'token_invalid')
      assertProblem(await ask(api, await sign(p256, 'ES256', { kid: 'good' })), 'image_not_found')
    }
    assert.equal(
      identityLog()
        .split('\n')
        .filter((line) => line.includes('cannot be used')).length,
      1,
    )
  })

  test('of two keys with one id, one of them broken, the other is found', async (t) => {
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 })
    const keys = [{ ...(await publish('same', rsa)), n: 'AQ' }, await publish('same', weak), await publish('same', rsa)]
    const { api } = await serveKeys(t, (response) => response.end(JSON.stringify({ keys })))
    assertProblem(await ask(api, await sign(rsa, 'RS256', { kid: 'same' })), 'image_not_found')
  })

  test('of two keys with one id either may have signed, and nobody else', async (t) => {
    const [first, second] = [ec('P-256'), ec('P-256')]
    const keys = [await publish('same', first), await publish('same', second)]
    const { api } = await serveKeys(t, (response) => response.end(JSON.stringify({ keys })))
    for (const pair of [first, second]) {
      assertProblem(await ask(api, await sign(pair, 'ES256', { kid: 'same' })), 'image_not_found')
    }
    assertProblem(await ask(api, await sign(p256, 'ES256', { kid: 'same' })), 'token_invalid')
    const expired = new SignJWT({ sub: 'user-1', exp: 1 }).setProtectedHeader({ alg: 'ES256', kid: 'same' })
    assertProblem(await ask(api, await expired.sign(second.privateKey)), 'token_expired')
  })

  test('a key that its issuer takes back is not believed any more, for remembered tokens either', async (t) => {
    let keys = [await publish('one', p256), await publish('two', rsa)]
    const { api, asked } = await serveKeys(t, (response) => response.end(JSON.stringify({ keys })))
    const token = await sign(p256, 'ES256', known)
    assertProblem(await ask(api, token), 'image_not_found')
    keys = [await publish('two', rsa)]
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 31_000 })
    assertProblem(await ask(api, await sign(p256, 'ES256', { kid: 'new' })), 'token_invalid')
    assert.equal(asked.count, 2)
    assertProblem(await ask(api, token), 'token_invalid')
  })
})
