import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import test, { after, suite } from 'node:test'

import { listen } from '#shared/runtime/listen.ts'
import { openLog } from '#shared/runtime/log.ts'

import { openServer } from '../../../services/api/server.ts'
import { assertProblem, memoryStream, openTestApi, readAnswer, signTestToken } from '../../support/api.ts'
import { eventually } from '../../support/eventually.ts'

const closing: (() => void)[] = []
after(() => closing.forEach((close) => close()))

const start = async (maxConnections = 100) => {
  const { app } = await openTestApi()
  const logged = memoryStream()
  const server = openServer(app.fetch, { log: openLog({ name: 'api', destination: logged.stream }), maxConnections })
  const { port } = await listen(server, '127.0.0.1', 0, 'PORT')
  closing.push(() => {
    server.close()
    server.closeAllConnections()
  })
  const open = () => connect(port, '127.0.0.1')
  return { open, logText: logged.text, url: `http://127.0.0.1:${port}` }
}

/** The answer on a connection that ends with it. */
const readRaw = async (socket: Socket) => {
  const whole = await text(socket)
  const [head = '', body = ''] = whole.split('\r\n\r\n')
  const lines = head.split('\r\n').slice(1)
  const headers = new Headers(
    lines.map((line): [string, string] => [line.split(': ')[0] ?? '', line.split(': ')[1] ?? '']),
  )
  return readAnswer(new Response(body, { status: Number(head.split(' ')[1]), headers }))
}

test('headers of more than 16 kB are a 431 with a problem document', async () => {
  const { open } = await start()
  const socket = open()
  socket.write(`GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Long: ${'a'.repeat(17_000)}\r\n\r\n`)
  const answer = await readRaw(socket)
  assertProblem(answer, 'headers_too_large')
  assert.equal(answer.headers.get('connection'), 'close')
})

for (const [what, bytes] of [
  ['is not HTTP', 'hello\r\n\r\n'],
  ['is TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
  ['has two lengths', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n'],
  ['has a length and chunks', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n'],
  ['has NUL in a header', 'GET / HTTP/1.1\r\nHost: x\r\nA: \0\r\n\r\n'],
] as const) {
  test(`what ${what} is a 400 with a problem document`, async () => {
    const { open } = await start()
    const socket = open()
    socket.write(Buffer.from(bytes, 'latin1'))
    assertProblem(await readRaw(socket), 'malformed_request')
  })
}

test('garbage behind a request that is in hand ends the connection with one whole answer', async () => {
  const { open } = await start()
  const socket = open()
  socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\nGARBAGE\r\n\r\n')
  const whole = await text(socket)
  assert.equal(whole.match(/^HTTP\/1\.1 /gm)?.length, 1, whole)
})

for (const [what, head, code] of [
  ['no Host', 'GET /healthz HTTP/1.1\r\nConnection: close', 'invalid_target'],
  [
    'an expectation that nobody knows',
    'GET /nothing HTTP/1.1\r\nHost: localhost\r\nExpect: foo\r\nConnection: close',
    'route_not_found',
  ],
] as const) {
  test(`a request with ${what} is answered by the app`, async () => {
    const { open } = await start()
    const socket = open()
    socket.write(`${head}\r\n\r\n`)
    assertProblem(await readRaw(socket), code)
  })
}

test('a body that ends before its length says is named so', async () => {
  const { open } = await start()
  const socket = open()
  const authorization = `Authorization: Bearer ${await signTestToken()}`
  socket.end(
    `POST /images/presigned-url HTTP/1.1\r\nHost: localhost\r\n${authorization}\r\nContent-Length: 9\r\n\r\nabcd`,
  )
  assertProblem(await readRaw(socket), 'request_incomplete')
})

suite('a request that comes too slowly is a 408 with a problem document', { concurrency: true }, () => {
  test('with headers that never end', async () => {
    const { open } = await start()
    const socket = open()
    socket.write('GET /healthz HTTP/1.1\r\nHost: loc')
    assertProblem(await readRaw(socket), 'request_timeout')
  })
  test('with a body that never ends, and another connection is served meanwhile', async () => {
    const { open, url } = await start()
    const socket = open()
    const token = await signTestToken()
    socket.write(
      `POST /images/presigned-url HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nContent-Length: 90\r\n\r\n{`,
    )
    assert.equal((await fetch(`${url}/healthz`)).status, 200)
    assertProblem(await readRaw(socket), 'request_timeout')
  })
})

test('connections beyond the cap are refused, and a place that becomes free is given again', async () => {
  const { open, url, logText } = await start(2)
  const held = [open(), open()]
  for (const socket of held) socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await Promise.all(held.map((socket) => new Promise((resolve) => socket.once('data', resolve))))
  await assert.rejects(fetch(`${url}/healthz`))
  assert.match(logText(), /a connection was refused/)
  held[0]?.destroy()
  await eventually(async () => {
    try {
      return (await fetch(`${url}/healthz`)).ok
    } catch {
      return false
    }
  }, 'a free place')
})
