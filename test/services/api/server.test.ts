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
  const server = openServer(app.fetch, {
    log: openLog({ name: 'api', destination: logged.stream }),
    maxConnections,
    corsOrigins: ['https://app.example.com'],
    stop: new AbortController().signal,
  })
  const { port } = await listen(server, '127.0.0.1', 0, 'PORT')
  closing.push(() => {
    server.close()
    server.closeAllConnections()
  })
  const open = (options = {}) => connect({ port, host: '127.0.0.1', ...options })
  const countConnections = () => new Promise<number>((resolve) => server.getConnections((_, count) => resolve(count)))
  return { open, logText: logged.text, url: `http://127.0.0.1:${port}`, countConnections }
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

suite('what never reaches a route can be read by a page of an allowed origin too', { concurrency: true }, () => {
  const [line, long] = ['POST /images/presigned-url HTTP/1.1\r\nHost: localhost', 'a'.repeat(17_000)]
  for (const [what, head, code] of [
    ['headers of more than 16 kB', `${line}\r\n{origin}\r\nX-Long: ${long}\r\n\r\n`, 'headers_too_large'],
    ['NUL in a header', `${line}\r\n{origin}\r\nA: \0\r\n\r\n`, 'malformed_request'],
    ['a Host that is none', `GET / HTTP/1.1\r\nHost: a b\r\n{origin}\r\nConnection: close\r\n\r\n`, 'invalid_target'],
    ['two Hosts', `${line}\r\nHost: localhost\r\n{origin}\r\nContent-Length: 0\r\n\r\n`, 'invalid_target'],
    ['a tunnel', `CONNECT a:443 HTTP/1.1\r\nHost: a\r\n{origin}\r\n\r\n`, 'method_not_allowed'],
  ] as const) {
    test(what, async () => {
      const { open } = await start()
      const ask = (origin: string) => {
        const socket = open()
        socket.write(head.replace('{origin}', `Origin: ${origin}`))
        return readRaw(socket)
      }
      const [answer, other] = await Promise.all(['https://app.example.com', 'https://evil.example.com'].map(ask))
      assert.ok(answer && other)
      assertProblem(answer, code)
      assert.equal(answer.headers.get('access-control-allow-origin'), 'https://app.example.com')
      assert.match(answer.headers.get('access-control-expose-headers') ?? '', /X-Request-Id/)
      assertProblem(other, code)
      assert.equal(other.headers.get('access-control-allow-origin'), null)
      for (const { headers } of [answer, other]) {
        assert.equal(headers.get('vary'), 'Origin')
        assert.equal(headers.get('connection'), 'close')
      }
    })
  }
})

test('two Host headers are refused, also when they say the same, and whatever their case', async () => {
  const { open } = await start()
  for (const hosts of ['Host: localhost\r\nHost: localhost', 'HOST: localhost\r\nhost: evil.example.com']) {
    const socket = open()
    socket.write(`GET /healthz HTTP/1.1\r\n${hosts}\r\n\r\n`)
    const { detail } = assertProblem(await readRaw(socket), 'invalid_target')
    assert.match(detail, /one Host header/)
  }
})

test('a tunnel is refused with the methods that there are', async () => {
  const { open } = await start()
  const socket = open()
  socket.write('CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n')
  const answer = await readRaw(socket)
  assertProblem(answer, 'method_not_allowed')
  assert.equal(answer.headers.get('allow'), 'GET, HEAD, POST, DELETE')
})

suite('a client that asks before it sends its body', () => {
  const ask = async (headers: string[], body = '') => {
    const { open } = await start()
    const socket = open()
    socket.write(
      `POST /images/presigned-url HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n${headers.join('\r\n')}\r\n\r\n`,
    )
    let heard = ''
    socket.on('data', (chunk: Buffer) => {
      if (heard === '' && chunk.toString().startsWith('HTTP/1.1 100 ')) socket.write(body)
      heard += chunk.toString()
    })
    return { socket, heard: () => heard }
  }
  const authorization = async () => `Authorization: Bearer ${await signTestToken()}`
  const statuses = (text: string) => [...text.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status]) => Number(status))

  test('is told to when its head is right, and then answered', async () => {
    const body = JSON.stringify({ purpose: 'scan', content_type: 'image/png', content_length: 5 })
    const { heard } = await ask([await authorization(), `Content-Length: ${body.length}`], body)
    await eventually(() => heard().includes('upload_url'), 'a ticket')
    assert.deepEqual(statuses(heard()), [100, 200])
    assert.doesNotMatch(heard(), /^connection: close/im)
  })

  test('is refused at once by its head, and the connection ends', async () => {
    for (const [headers, status] of [
      [[await authorization(), 'Content-Length: 20000'], 413],
      [[await authorization(), 'Content-Length: 99999999999'], 413],
      [['Content-Length: 20'], 401],
      [['Authorization: Bearer garbage', 'Content-Length: 20'], 401],
      [['Host: b', 'Content-Length: 20'], 400],
    ] as const) {
      const { heard, socket } = await ask([...headers])
      await new Promise((resolve) => socket.once('close', resolve))
      assert.deepEqual(statuses(heard()), [status])
      assert.match(heard(), /^connection: close/im)
    }
  })
})

test('a refusal is read on a connection that had answers before', async () => {
  const { open } = await start()
  const socket = open()
  let heard = ''
  socket.on('data', (chunk: Buffer) => (heard += chunk.toString()))
  socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await eventually(() => heard.includes('{"status":"ok"}'), 'the first answer')
  socket.write(`GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Long: ${'a'.repeat(17_000)}\r\n\r\n`)
  await eventually(() => heard.includes('headers_too_large'), 'the second answer')
})

test('whoever is refused and holds the connection all the same is cut', async () => {
  const { open, countConnections } = await start()
  const sockets = ['hello\r\n\r\n', 'CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n'].map((bytes) => {
    const socket = open({ allowHalfOpen: true })
    socket.on('error', () => undefined).resume()
    socket.write(bytes)
    return socket
  })
  await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('end', resolve))))
  await eventually(async () => (await countConnections()) === 0, 'no connection')
  for (const socket of sockets) socket.destroy()
})

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
      `POST /images/presigned-url HTTP/1.1\r\nHost: localhost\r\nOrigin: https://app.example.com\r\nAuthorization: Bearer ${token}\r\nContent-Length: 90\r\n\r\n{`,
    )
    assert.equal((await fetch(`${url}/healthz`)).status, 200)
    const answer = await readRaw(socket)
    assertProblem(answer, 'request_timeout')
    assert.equal(answer.headers.get('access-control-allow-origin'), 'https://app.example.com')
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
