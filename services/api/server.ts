import { randomUUID } from 'node:crypto'
import { createServer, STATUS_CODES, type RequestListener, type Server } from 'node:http'
import type { Socket } from 'node:net'

import { getRequestListener } from '@hono/node-server'

import { aborted, type Signals } from '#shared/runtime/lifetime.ts'
import type { Log } from '#shared/runtime/log.ts'

import { securityHeaders, type Answer } from './answers.ts'
import { writeProblem } from './failures.ts'
import { ProblemError, type ProblemCode } from './problems.ts'

const limits = {
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  /** How often the two above are looked after. */
  connectionsCheckingInterval: 1_000,
  /** Longer than the idle time of usual load balancers, which must be the ones to close. */
  keepAliveTimeout: 65_000,
  /** Of the request line and all headers. */
  maxHeaderSize: 16_384,
  /** Node's own refusal has no problem document: the app answers such requests by itself. */
  requireHostHeader: false,
}

type Fetch = (request: Request) => Response | Promise<Response>

/** The API's HTTP server, not listening yet. What never becomes a request of the app is answered here. */
export const openServer = (fetch: Fetch, { log, maxConnections }: { log: Log; maxConnections: number }): Server => {
  const answer = getRequestListener(fetch, { errorHandler: answerUnreadable })
  const serve: RequestListener = (request, response) => {
    // After close() Node keeps a connection whose request was still in hand for all of keepAliveTimeout.
    response.once('close', () => server.listening || server.closeIdleConnections())
    void answer(request, response)
  }
  const server = createServer(limits, serve)
  // An expectation that nobody knows may be passed over (RFC 9110, 10.1.1); Node would answer it bare.
  server.on('checkExpectation', serve)
  server.maxConnections = maxConnections
  server.on('drop', () => log.warn({ max: maxConnections }, 'a connection was refused: there are too many'))
  server.on('clientError', refuseConnection)
  return server
}

/** Answers until `stop`, then finishes the requests in hand; after the deadline it cuts them. */
export const serveUntilStopped = async (server: Server, { stop, deadline }: Signals) => {
  await aborted(stop)
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  await Promise.race([closed, aborted(deadline)])
  server.closeAllConnections()
}

const completed = (code: ProblemCode): Answer => {
  const requestId = randomUUID()
  const { status, body, headers } = writeProblem(new ProblemError(code), requestId)
  return { status, body, headers: { ...securityHeaders, ...headers, Vary: 'Origin', 'X-Request-Id': requestId } }
}

/** For requests that never reach a route, since no URL can be made of their target and Host header. */
const answerUnreadable = () => {
  const { status, body, headers } = completed('invalid_target')
  return new Response(body, { status, headers })
}

const codeOf = (error: Error): ProblemCode => {
  const code = 'code' in error ? error.code : undefined
  if (code === 'HPE_HEADER_OVERFLOW') return 'headers_too_large'
  if (code === 'HPE_INVALID_EOF_STATE') return 'request_incomplete'
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'request_timeout' : 'malformed_request'
}

/** What node:http could not read, or did not wait for: answered by hand, and the connection ends. */
const refuseConnection = (error: Error, socket: Socket) => {
  // Gone, or an answer is under way on it already.
  if (!socket.writable || socket.bytesWritten > 0) return void socket.destroy(error)
  const { status, body, headers } = completed(codeOf(error))
  const lines = Object.entries({ ...headers, 'Content-Length': Buffer.byteLength(body ?? ''), Connection: 'close' })
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${head}\r\n${body ?? ''}`)
}
