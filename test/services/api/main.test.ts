import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import test from 'node:test'

import { localJwtSecret } from '#shared/domain/local-mode.ts'
import { ConfigError } from '#shared/runtime/config.ts'
import { ListenError } from '#shared/runtime/listen.ts'

import { ticketSchema } from '../../../services/api/schemas.ts'
import { assertProblem, readAnswer, signTestToken, testKey } from '../../support/api.ts'
import { eventually } from '../../support/eventually.ts'
import { answerEmpty, cleanups, emptyS3, environment, isAboutBucket, openStubS3, startApi } from './started.ts'

const authorized = async () => ({ Authorization: `Bearer ${await signTestToken()}` })
const metadataPath = `/images/${testKey()}/metadata`

test('the API starts with an environment only and its tickets name the public address of S3', async () => {
  const { url, health, stop } = await startApi(environment())
  const body = JSON.stringify({ purpose: 'scan', content_type: 'image/png', content_length: 5 })
  const response = await fetch(`${url}/images/presigned-url`, { method: 'POST', headers: await authorized(), body })
  const ticket = ticketSchema.parse(await response.json())
  assert.ok(ticket.upload_url.startsWith(`https://uploads.example.com/images-1/${ticket.key}?`), ticket.upload_url)
  assert.equal((await fetch(`${url}/metrics`)).status, 404)
  assert.match(await (await fetch(`${health}/metrics`)).text(), /image_intake_tickets_total\{purpose="scan"\} 1\n/)
  await stop()
})

test('the process lists every problem of its environment at once, without its secrets', async () => {
  const child = spawn(process.execPath, ['services/api/main.ts'], {
    env: {
      TICKET_SECONDS: '5',
      CDN_BASE_URL: 'cdn',
      S3_BUCKET: 'images-1',
      JWT_SECRET: 'short-secret',
      JWKS_URL: 'nowhere',
    },
  })
  const exited = once(child, 'exit')
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)])
  const [code] = (await exited) as unknown[] // once() gives any
  assert.deepEqual([code, output], [1, ''])
  for (const line of errors.trimEnd().split('\n')) assert.match(line, /^api: .*For example: [A-Z_]+=/)
  for (const name of ['AWS_REGION', 'STATE_BUCKET', 'CDN_BASE_URL', 'TICKET_SECONDS', 'JWT_SECRET', 'JWKS_URL']) {
    assert.match(errors, new RegExp(`^api: ${name}\\b`, 'm'))
  }
  assert.match(errors, /exactly one of JWT_SECRET, JWT_PUBLIC_KEY and JWKS_URL must be set/)
  assert.doesNotMatch(errors, /short-secret/)
})

test('the process runs until SIGTERM and then ends with 0', async () => {
  const child = spawn(process.execPath, ['services/api/main.ts'], { env: environment() })
  cleanups.push(() => Promise.resolve(child.kill()))
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const url = await eventually(() => /"url":"([^"]+)"/.exec(output)?.[1], 'the process to be ready')
  assert.equal((await fetch(`${url}/healthz`)).status, 200)
  child.kill('SIGTERM')
  assert.deepEqual(await once(child, 'exit'), [0, null])
})

test('the secret of local mode is taken in local mode alone', async () => {
  const variables = { ...environment(), JWT_SECRET: localJwtSecret }
  await assert.rejects(startApi(variables), (error) => {
    assert.ok(error instanceof ConfigError)
    assert.match(error.message, /JWT_SECRET is the key of local mode, which everybody knows: set one of your own/)
    return true
  })
  const { stop } = await startApi(variables, { localMode: true })
  await stop()
})

test('neither no key nor an empty one nor two are taken', async () => {
  for (const keys of [{ JWT_SECRET: '' }, { JWKS_URL: 'https://login.example.com/jwks' }]) {
    await assert.rejects(startApi({ ...environment(), ...keys }), /exactly one of JWT_SECRET/)
  }
})

test('a private key as JWT_PUBLIC_KEY is refused and not shown', async () => {
  const JWT_PUBLIC_KEY = '-----BEGIN PRIVATE KEY-----\\nMC4CAQAwBQYDK2VwBCIEIA\\n-----END PRIVATE KEY-----'
  await assert.rejects(startApi({ ...environment(), JWT_SECRET: '', JWT_PUBLIC_KEY }), (error) => {
    assert.ok(error instanceof ConfigError)
    assert.match(error.message, /^JWT_PUBLIC_KEY: its value \(a secret, not shown\) is a private key/)
    assert.doesNotMatch(error.message, /MC4CAQ/)
    return true
  })
})

test('an address of S3 with more than a place is refused, and its password is not shown', async () => {
  for (const S3_PUBLIC_ENDPOINT_URL of [
    'https://user:hunter2@a.example',
    'https://a.example/?b',
    'https://a.example/#c',
  ]) {
    await assert.rejects(startApi({ ...environment(), S3_PUBLIC_ENDPOINT_URL }), (error) => {
      assert.ok(error instanceof ConfigError)
      assert.match(
        error.message,
        /^S3_PUBLIC_ENDPOINT_URL: .* is not an http or https URL without user, password, query/,
      )
      assert.doesNotMatch(error.message, /hunter2/)
      return true
    })
  }
})

test('credentials with a character that no header takes are refused at start and not shown', async () => {
  for (const [name, value] of [
    ['AWS_SESSION_TOKEN', 'IQoJb3JpZ2lu\n'],
    ['AWS_SESSION_TOKEN', 'IQoJb3 pZ2lu'],
    ['AWS_ACCESS_KEY_ID', 'IQoJb3\u2013'],
    ['AWS_SECRET_ACCESS_KEY', 'IQoJb3\r'],
  ] as const) {
    await assert.rejects(startApi({ ...environment(), [name]: value }), (error) => {
      assert.ok(error instanceof ConfigError)
      assert.match(error.message, new RegExp(`^${name}: .* holds a space, a line end or another character`))
      return name === 'AWS_ACCESS_KEY_ID' || !error.message.includes('IQoJb3')
    })
  }
})

test('a port that is taken is told by the name of its variable', async () => {
  const taken = new URL(emptyS3).port
  await assert.rejects(startApi({ ...environment(), PORT: taken }), (error) => {
    assert.ok(error instanceof ListenError)
    assert.match(error.message, /set PORT to a free one/)
    return true
  })
})

test('a request in hand at stop is answered, new ones are not taken, and then the API ends at once', async () => {
  const release = Promise.withResolvers<undefined>()
  let asked = 0
  const s3 = await openStubS3((question, response) => {
    if (!isAboutBucket(question)) asked++
    void (isAboutBucket(question) ? Promise.resolve() : release.promise).then(() => answerEmpty(question, response))
  })
  const { url, life, ended } = await startApi(environment(s3))
  const agent = new Agent({ keepAlive: true })
  const inHand = Promise.withResolvers<IncomingMessage>()
  request(`${url}${metadataPath}`, { agent, headers: await authorized() }, inHand.resolve).end()
  await eventually(() => asked === 2, 'both questions to S3')
  life.end('test')
  await assert.rejects(fetch(`${url}/healthz`))
  release.resolve(undefined)
  const response = await inHand.promise
  assert.equal(response.statusCode, 404)
  assert.equal(response.headers.connection, 'close')
  assert.match(await text(response), /image_not_found/)
  const answered = performance.now()
  await ended
  assert.ok(performance.now() - answered < 1000, 'the idle connection held the process up')
  agent.destroy()
})

test('told to stop, the API is not ready at once, answers on for its drain, and ends each connection with an answer', async () => {
  const { url, health, life, ended } = await startApi({ ...environment(), DRAIN_SECONDS: '1' })
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const ask = async (path: string) => {
    const sent = request(`${url}${path}`, { agent }).end()
    const [response] = (await once(sent, 'response')) as [IncomingMessage] // the event's only argument
    return { status: response.statusCode, connection: response.headers.connection, body: await text(response) }
  }
  assert.partialDeepStrictEqual(await ask('/readyz'), { status: 200, connection: 'keep-alive' })
  life.end('test')
  const told = performance.now()
  const { status, connection, body } = await ask('/readyz')
  assert.deepEqual([status, connection], [503, 'close'])
  assert.match(body, /the process is stopping/)
  assert.equal((await fetch(`${health}/readyz`)).status, 503)
  assert.equal((await fetch(`${health}/healthz`)).status, 200)
  assert.partialDeepStrictEqual(await ask('/healthz'), { status: 200, connection: 'close' })
  await ended
  assert.ok(performance.now() - told >= 1_000, 'it ended before its drain was over')
  await assert.rejects(fetch(`${url}/healthz`))
  agent.destroy()
})

test('an S3 that never answers is a 503 within 2 s, and makes the API not ready', async () => {
  const s3 = await openStubS3(() => undefined)
  const { url, health, stop } = await startApi(environment(s3))
  for (const [method, path] of [
    ['GET', metadataPath],
    ['DELETE', `/images/${testKey()}`],
  ] as const) {
    const started = performance.now()
    const answer = await readAnswer(await fetch(`${url}${path}`, { method, headers: await authorized() }))
    assertProblem(answer, 'storage_unavailable')
    const took = performance.now() - started
    assert.ok(took < 2000, `${took} ms`)
  }
  for (const base of [url, health]) assert.equal((await fetch(`${base}/readyz`)).status, 503)
  await stop()
})

/** Sends bytes as they are and reads until the other side ends. */
const exchange = async (url: string, ...chunks: string[]) => {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  for (const chunk of chunks) socket.write(chunk)
  const answer = await text(socket)
  const [head = '', body = ''] = answer.split('\r\n\r\n')
  const headers = new Headers(
    head
      .split('\r\n')
      .slice(1)
      .map((line): [string, string] => {
        const [name = '', ...value] = line.split(': ')
        return [name, value.join(': ')]
      }),
  )
  return readAnswer(new Response(body, { status: Number(head.split(' ')[1]), headers }))
}

test('targets and hosts of which no URL can be made get a problem document', async () => {
  const { url, stop } = await startApi(environment())
  const requests = [
    'OPTIONS * HTTP/1.1\r\nHost: localhost',
    'GET /images/..\\x HTTP/1.1\r\nHost: localhost',
    'GET /healthz HTTP/1.1\r\nHost: a b',
    'GET /healthz HTTP/1.1\r\nHost: user@localhost',
    'GET ftp://localhost/healthz HTTP/1.1\r\nHost: localhost',
  ]
  for (const head of requests) {
    const { detail } = assertProblem(await exchange(url, `${head}\r\nConnection: close\r\n\r\n`), 'invalid_target')
    assert.match(detail, /begins with a slash/)
  }
  await stop()
})

test('a body of 1 MB gets its 413 over a socket too, with and without a content length', async () => {
  const { url, stop } = await startApi(environment())
  const megabyte = ' '.repeat(1_000_000)
  const { Authorization } = await authorized()
  const head = `POST /images/presigned-url HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: ${Authorization}\r\n`
  assertProblem(await exchange(url, `${head}Content-Length: 1000000\r\n\r\n`, megabyte), 'body_too_large')
  const chunk = `${megabyte.length.toString(16)}\r\n${megabyte}\r\n0\r\n\r\n`
  assertProblem(await exchange(url, `${head}Transfer-Encoding: chunked\r\n\r\n`, chunk), 'body_too_large')
  await stop()
})

test('a client that goes away amid its body is no failure of ours', async () => {
  const { url, stop, health, logText } = await startApi(environment())
  const { Authorization } = await authorized()
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.write(
    `POST /images/presigned-url HTTP/1.1\r\nHost: x\r\nAuthorization: ${Authorization}\r\nContent-Length: 90\r\n\r\n{`,
  )
  await once(socket, 'connect')
  await eventually(async () => (await fetch(`${url}/healthz`)).ok, 'another answer')
  socket.destroy()
  await eventually(
    async () => /http_requests_total\{method="POST"/.test(await (await fetch(`${health}/metrics`)).text()),
    'the request to be over',
  )
  assert.doesNotMatch(logText(), /request failed/)
  await stop()
})
