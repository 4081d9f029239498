import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import test from 'node:test'

import { exportJWK, SignJWT } from 'jose'

import { testKey } from '../../support/api.ts'
import { eventually } from '../../support/eventually.ts'
import { environment, openStubS3, startApi } from './started.ts'

const metadataPath = `/images/${testKey()}/metadata`

test('with JWKS_URL the API is ready when the keys were fetched once, and stays so while their issuer is away', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const keySet = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'one' }] })
  let [away, asked] = [true, 0]
  const issuer = await openStubS3((_, response) => {
    asked++
    if (away) response.writeHead(500).end()
    else response.end(keySet)
  })
  const { url, health, logText } = await startApi({ ...environment(), JWT_SECRET: '', JWKS_URL: `${issuer}/keys?p=1` })
  assert.match(logText(), /api has started and waits/)
  const readiness = async (base: string) => {
    const answer = await fetch(`${base}/readyz`)
    return { status: answer.status, text: await answer.text() }
  }
  for (const base of [url, health]) {
    const { status, text } = await readiness(base)
    assert.equal(status, 503)
    assert.match(text, /keys of the tokens' issuer were not fetched yet/)
  }
  await eventually(() => asked > 2, 'another try that nobody asked for')
  away = false
  await eventually(async () => (await readiness(url)).status === 200, 'readiness')
  away = true
  const token = await new SignJWT({ sub: 'user-1' })
    .setProtectedHeader({ alg: 'ES256', kid: 'one' })
    .setExpirationTime('1m')
    .sign(privateKey)
  const asking = asked
  const answer = await fetch(`${url}${metadataPath}`, { headers: { Authorization: `Bearer ${token}` } })
  assert.equal(answer.status, 404)
  for (const base of [url, health]) assert.equal((await readiness(base)).status, 200)
  assert.equal(asked, asking, 'known keys are not asked for')
})

test('with JWKS_URL and an issuer that is there the API starts ready', async () => {
  const issuer = await openStubS3((_, response) => response.end('{"keys":[]}'))
  const { url, logText } = await startApi({ ...environment(), JWT_SECRET: '', JWKS_URL: issuer })
  assert.match(logText(), /api is ready/)
  assert.equal((await fetch(`${url}/readyz`)).status, 200)
})
