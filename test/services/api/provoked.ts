import { generateKeyPairSync } from 'node:crypto'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'

import { CredentialsError, OutageError } from '#shared/ports/failures.ts'
import { listen } from '#shared/runtime/listen.ts'
import { openLog } from '#shared/runtime/log.ts'

import { openIdentity } from '../../../services/api/identity.ts'
import { limitUsers } from '../../../services/api/limits.ts'
import type { ProblemCode } from '../../../services/api/problems.ts'
import { openServer } from '../../../services/api/server.ts'
import { memoryStream, openTestApi, readAnswer, signTestToken, testKey, type Answer } from '../../support/api.ts'

const good = { purpose: 'scan', content_type: 'image/jpeg', content_length: 5 }
const limited = () => limitUsers({ perMinute: 100 })
const api = await openTestApi({ limitUser: limited() })
const metadataPath = `/images/${testKey()}/metadata`

/** One request over a socket, and the answer on it. */
export const sendRaw = async (bytes: string): Promise<Answer> => {
  const log = openLog({ name: 'api', destination: memoryStream().stream })
  const server = openServer(api.app.fetch, {
    log,
    maxConnections: 10,
    corsOrigins: [],
    stop: new AbortController().signal,
  })
  const { port } = await listen(server, '127.0.0.1', 0, 'PORT')
  const socket = connect(port, '127.0.0.1')
  socket.write(bytes)
  const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n')
  server.close()
  const lines = head.split('\r\n').slice(1)
  const headers = lines.map((line): [string, string] => [line.split(': ')[0] ?? '', line.split(': ')[1] ?? ''])
  return readAnswer(new Response(body, { status: Number(head.split(' ')[1]), headers }))
}

const failing = async (call: 'head', error: Error) => {
  const broken = await openTestApi({ limitUser: limited() })
  broken.images.faults.fail(call, error)
  return broken.request('GET', metadataPath)
}

/** Gives up its body when it was read in part, as node:http does for a client that went away. */
export const brokenOff = () =>
  new ReadableStream({
    start: (controller) => controller.error(Object.assign(new Error('aborted'), { code: 'ECONNRESET' })),
  })

const withoutIssuer = async () => {
  const { request } = await openTestApi({ identify: openIdentity({ JWKS_URL: 'http://127.0.0.1:9/jwks.json' }) })
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { SignJWT } = await import('jose')
  const token = await new SignJWT({ sub: 'user-1' })
    .setProtectedHeader({ alg: 'ES256' })
    .setExpirationTime('1m')
    .sign(privateKey)
  return request('GET', metadataPath, { token })
}

const exhausted = async () => {
  const { request } = await openTestApi({ limitUser: limitUsers({ perMinute: 1 }) })
  await request('GET', metadataPath)
  return request('GET', metadataPath)
}

/** On an operation, or where no route is. */
type Provoked = { ask: () => Promise<Answer> } & ({ path: string; method: string } | { path?: never; method?: never })
const ticket = (ask: () => Promise<Answer>): Provoked => ({ path: '/images/presigned-url', method: 'post', ask })
const chat = (ask: () => Promise<Answer>): Provoked => ({ path: '/images/presigned-url/chat', method: 'post', ask })
const metadata = (ask: () => Promise<Answer>): Provoked => ({ path: '/images/{key}/metadata', method: 'get', ask })
const probe = (ask: () => Promise<Answer>): Provoked => ({ path: '/healthz', method: 'get', ask })
const post = (body: string | ReadableStream, path = '') => api.request('POST', `/images/presigned-url${path}`, { body })

/** How each error comes about, and on which operation. */
export const provocations: Readonly<Record<ProblemCode, Provoked>> = {
  malformed_request: probe(() => sendRaw('hello\r\n\r\n')),
  invalid_target: probe(() => sendRaw('GET /healthz HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n')),
  request_incomplete: ticket(() => post(brokenOff())),
  invalid_json: ticket(() => post('{')),
  purpose_contradiction: chat(() => post(JSON.stringify(good), '/chat')),
  token_missing: metadata(() => api.request('GET', metadataPath, { token: '' })),
  token_invalid: metadata(() => api.request('GET', metadataPath, { token: 'garbage' })),
  token_expired: metadata(async () => api.request('GET', metadataPath, { token: await signTestToken({ exp: 1 }) })),
  subject_not_usable: metadata(async () =>
    api.request('GET', metadataPath, { token: await signTestToken({ sub: '' }) }),
  ),
  image_not_found: metadata(() => api.request('GET', metadataPath)),
  route_not_found: { ask: () => api.request('GET', '/nothing') },
  method_not_allowed: probe(() => api.request('PUT', '/healthz')),
  request_timeout: probe(() => sendRaw('GET /healthz HTTP/1.1\r\nHost: loc')),
  body_too_large: ticket(() => post('x'.repeat(20_000))),
  url_too_long: metadata(() => api.request('GET', `/images/${'a'.repeat(3_000)}/metadata`)),
  content_type_not_allowed: ticket(() => post(JSON.stringify({ ...good, content_type: 'image/heic' }))),
  invalid_request: ticket(() => post(JSON.stringify({ ...good, content_length: 0 }))),
  rate_limited: metadata(exhausted),
  headers_too_large: probe(() => sendRaw(`GET /healthz HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(17_000)}\r\n\r\n`)),
  internal_error: metadata(() => failing('head', new TypeError('nobody foresaw it'))),
  keys_unavailable: metadata(withoutIssuer),
  credentials_unavailable: metadata(() => failing('head', new CredentialsError('S3', 'none'))),
  storage_unavailable: metadata(() => failing('head', new OutageError('S3', 'away'))),
}
