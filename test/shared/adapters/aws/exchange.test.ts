import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { suite, test, type TestContext } from 'node:test'
import { gzipSync } from 'node:zlib'

import { Agent } from 'undici'

import { exchange, type HttpRequest } from '#shared/adapters/aws/exchange.ts'
import { eventually } from '../../../support/eventually.ts'
import { http, openRawServer } from './raw-server.ts'

const bounds = { maxBytes: 100, silenceMs: 20_000, limitMs: 20_000 }

const open = async (context: TestContext, answer: Parameters<typeof openRawServer>[1], connections = 10) => {
  const server = await openRawServer(context, answer)
  const agent = new Agent({ connections })
  context.after(() => agent.destroy())
  const ask = (changes: Partial<HttpRequest> = {}, more: Partial<typeof bounds> = {}, signal?: AbortSignal) =>
    exchange(
      agent,
      { origin: server.origin, path: '/a', method: 'GET', headers: {}, ...changes },
      { ...bounds, ...more },
      signal,
    )
  return { ...server, ask }
}

const closed = (socket: Socket | undefined) => eventually(() => socket?.closed, 'a closed connection')

suite('an exchange', () => {
  test('tells status, headers and body of any answer', async (context) => {
    const { ask } = await open(context, (_, socket) =>
      socket.write(http(404, { 'content-length': 4, 'X-Amz-Meta-A': 'ü', etag: '"e"' }, 'gone')),
    )
    const answer = await ask()
    assert.equal(answer.status, 404)
    assert.equal(answer.body.toString(), 'gone')
    assert.equal(answer.isWhole, true)
    assert.equal(answer.headers['etag'], '"e"')
    assert.ok(answer.headers['x-amz-meta-a'])
  })

  test('sends path, headers and body as they are given', async (context) => {
    const { ask, requests } = await open(context, (_, socket) => socket.write(http(200, { 'content-length': 0 })))
    await ask({
      method: 'PUT',
      path: '/b/a/../c//%2E?x=%20',
      headers: { host: 'else.where', 'x-a': 'b  c' },
      body: 'ü',
    })
    const [request = ''] = requests
    assert.match(request, /^PUT \/b\/a\/\.\.\/c\/\/%2E\?x=%20 HTTP\/1\.1\r\n/)
    for (const line of ['host: else.where', 'x-a: b  c', 'content-length: 2'])
      assert.ok(request.includes(`\r\n${line}\r\n`))
    assert.ok(request.endsWith(`\r\n\r\n${Buffer.from('ü').toString('latin1')}`))
  })

  test('asks for no content coding, and undoes none', async (context) => {
    const zipped = gzipSync('some text')
    const { ask, requests } = await open(context, (_, socket) => {
      socket.write(http(200, { 'content-length': zipped.length, 'content-encoding': 'gzip' }))
      socket.write(zipped)
    })
    assert.ok((await ask()).body.equals(zipped))
    assert.doesNotMatch(requests[0] ?? '', /accept-encoding/i)
  })

  test('reads a body without an announced length', async (context) => {
    const { ask } = await open(context, (request, socket) => {
      if (request.includes('/chunked')) {
        socket.write(http(200, { 'transfer-encoding': 'chunked' }, '3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n'))
      } else socket.end(http(200, { connection: 'close' }, 'abcde'))
    })
    assert.equal((await ask({ path: '/chunked' })).body.toString(), 'abcde')
    assert.equal((await ask()).body.toString(), 'abcde')
  })

  test('of a body that is too long reads the beginning, and closes the connection', async (context) => {
    let sent = 0
    const { ask, sockets } = await open(context, (_, socket) => {
      const piece = Buffer.alloc(65_536, 'x')
      const more = () => {
        while (!socket.destroyed && socket.write(piece)) sent += piece.length
      }
      socket.on('drain', more)
      socket.write(http(200, { 'content-length': 5_000_000_000 }))
      more()
    })
    const answer = await ask({}, { maxBytes: 1000 })
    assert.deepEqual(
      [answer.body.length, answer.isWhole, answer.headers['content-length']],
      [1000, false, '5000000000'],
    )
    await closed(sockets[0])
    assert.ok(sent < 100_000_000, `${sent} bytes were sent`)
  })

  // undici lets a connection rest for a turn after each answer, so one request after the other uses two.
  test('a body of exactly the longest length leaves its connection open for others', async (context) => {
    const { ask, sockets } = await open(context, (_, socket) =>
      socket.write(http(206, { 'content-length': 5 }, 'abcde')),
    )
    for (let count = 0; count < 6; count++) assert.equal((await ask({}, { maxBytes: 5 })).isWhole, true)
    assert.ok(sockets.length <= 2, `${sockets.length} connections`)
  })

  test('a HEAD leaves its connection open for others', async (context) => {
    const { ask, sockets } = await open(context, (_, socket) => socket.write(http(200, { 'content-length': 5 })))
    for (let count = 0; count < 6; count++) assert.equal((await ask({ method: 'HEAD' })).headers['content-length'], '5')
    assert.ok(sockets.length <= 2, `${sockets.length} connections`)
  })

  test('of an error reads enough to tell what it is, however little is wanted', async (context) => {
    const { ask } = await open(context, (_, socket) =>
      socket.write(http(403, { 'content-length': 300 }, 'x'.repeat(300))),
    )
    assert.equal((await ask({}, { maxBytes: 0 })).body.length, 300)
  })

  const broken: Record<string, (socket: Socket) => void> = {
    'a body that is cut before its length': (socket) => socket.end(http(200, { 'content-length': 10 }, 'abc')),
    'a chunked body that is cut': (socket) => socket.end(http(200, { 'transfer-encoding': 'chunked' }, '5\r\nabc')),
    'a connection that is reset amid the body': (socket) => {
      socket.write(http(200, { 'content-length': 10 }, 'abc'), () => setImmediate(() => socket.resetAndDestroy()))
    },
    'headers that are cut': (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-le'),
    'a connection that is closed without an answer': (socket) => socket.end(),
    'what is no HTTP': (socket) => socket.end('220 mail.example.com ESMTP\r\n'),
  }
  for (const [what, answer] of Object.entries(broken)) {
    test(`${what} is a failure, never a short answer`, async (context) => {
      const { ask } = await open(context, (_, socket) => answer(socket))
      await assert.rejects(ask(), (error) => error instanceof Error && error.name !== 'AbortError')
    })
  }

  test('a silence before the headers, or in the body, ends it', async (context) => {
    const { ask, sockets } = await open(context, (request, socket) => {
      if (request.includes('/body')) socket.write(http(200, { 'content-length': 10 }, 'abc'))
    })
    await assert.rejects(ask({}, { silenceMs: 1000 }), { name: 'HeadersTimeoutError' })
    await assert.rejects(ask({ path: '/body' }, { silenceMs: 1000 }), { name: 'BodyTimeoutError' })
    for (const socket of sockets) await closed(socket)
  })

  test('a trickle that is never silent ends it too', async (context) => {
    const { ask, sockets } = await open(context, (_, socket) => {
      socket.write(http(200, { 'content-length': 1_000_000 }))
      const timer = setInterval(() => socket.write('x'), 5)
      socket.on('close', () => clearInterval(timer))
    })
    await assert.rejects(ask({}, { maxBytes: 1_000_000, limitMs: 100 }), { name: 'TimeoutError' })
    await closed(sockets[0])
  })

  test('an abort ends it at every stage, and closes the connection', async (context) => {
    const { ask, sockets, requests } = await open(context, (request, socket) => {
      if (request.includes('/body')) socket.write(http(200, { 'content-length': 10 }, 'abc'))
    })
    const aborted = { name: 'AbortError' }
    await assert.rejects(ask({}, {}, AbortSignal.abort()), aborted)
    assert.equal(sockets.length, 0)
    for (const [index, path] of ['/silent', '/body'].entries()) {
      const controller = new AbortController()
      const asked = ask({ path }, {}, controller.signal)
      await eventually(() => requests.length > index, path)
      controller.abort()
      await assert.rejects(asked, aborted)
      await closed(sockets[index])
    }
  })

  test('an abort ends one that waits for a connection, and only that one', async (context) => {
    const held: (() => void)[] = []
    const { ask, requests } = await open(
      context,
      (_, socket) => held.push(() => socket.write(http(200, { 'content-length': 0 }))),
      1,
    )
    const first = ask({ path: '/first' })
    await eventually(() => held.length === 1, 'the first request')
    const controller = new AbortController()
    const second = ask({ path: '/second' }, {}, controller.signal)
    const third = ask({ path: '/third' })
    controller.abort()
    await assert.rejects(second, { name: 'AbortError' })
    held[0]?.()
    assert.equal((await first).status, 200)
    await eventually(() => held.length === 2, 'the third request')
    held[1]?.()
    assert.equal((await third).status, 200)
    assert.deepEqual(
      requests.map((request) => request.split(' ')[1]),
      ['/first', '/third'],
    )
  })

  test('many of one signal leave nothing behind on it', async (context) => {
    const { ask } = await open(context, (_, socket) => socket.write(http(200, { 'content-length': 0 })))
    const controller = new AbortController()
    const listeners = new Set<unknown>()
    const { signal } = controller
    const add = signal.addEventListener.bind(signal)
    const remove = signal.removeEventListener.bind(signal)
    signal.addEventListener = (type: string, listener: never) => {
      listeners.add(listener)
      add(type, listener)
    }
    signal.removeEventListener = (type: string, listener: never) => {
      listeners.delete(listener)
      remove(type, listener)
    }
    await Promise.all(Array.from({ length: 20 }, () => ask({}, {}, signal)))
    assert.equal(listeners.size, 0)
  })
})
