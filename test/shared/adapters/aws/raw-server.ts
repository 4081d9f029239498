import { createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

import { eventually } from '../../../support/eventually.ts'

/**
 * A server on 127.0.0.1 that says, byte for byte, what a test wants. `answer` is called with each whole request as it came
 * and the socket that it came on; `requests` keeps them, `sockets` every connection.
 */
export const openRawServer = async (
  context: TestContext,
  answer: (request: string, socket: Socket, count: number) => void,
): Promise<{ origin: string; requests: string[]; sockets: Socket[] }> => {
  const requests: string[] = []
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => undefined)
    let received = ''
    socket.on('data', (data) => {
      received += data.toString('latin1')
      for (let end = endOfRequest(received); end > 0; end = endOfRequest(received)) {
        const request = received.slice(0, end)
        received = received.slice(end)
        requests.push(request)
        answer(request, socket, requests.length)
      }
    })
  })
  server.listen(0, '127.0.0.1')
  context.after(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  const address = await eventually(() => server.address(), 'an address')
  if (typeof address === 'string') throw new Error(`listens at ${address}`)
  return { origin: `http://127.0.0.1:${address.port}`, requests, sockets }
}

const endOfRequest = (received: string) => {
  const head = received.indexOf('\r\n\r\n')
  if (head < 0) return -1
  const length = Number(/\r\ncontent-length: *(\d+)/i.exec(received.slice(0, head))?.[1] ?? 0)
  const end = head + 4 + length
  return received.length >= end ? end : -1
}

/** An HTTP/1.1 answer; of a body that is left out no length is told. */
export const http = (status: number, headers: Readonly<Record<string, string | number>>, body = ''): string =>
  [`HTTP/1.1 ${status} so`, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`), '', body].join(
    '\r\n',
  )
