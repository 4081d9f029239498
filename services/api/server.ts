import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

import { getRequestListener } from '@hono/node-server'

import { pause } from '#shared/runtime/backoff.ts'
import { aborted, type Signals } from '#shared/runtime/lifetime.ts'
import type { Log } from '#shared/runtime/log.ts'

import { ProblemError } from './problems.ts'
import { endConnection, findOrigin, refuse, tunnelProblem, unreadProblem } from './refusals.ts'

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
type ServerOptions = { log: Log; maxConnections: number; corsOrigins: readonly string[]; stop: AbortSignal }

/**
 * The API's HTTP server, not listening yet. What never becomes a request of the app is answered here. From `stop` on every
 * answer is the last one on its connection, and says so: whoever keeps connections goes elsewhere with the next request.
 */
export const openServer = (fetch: Fetch, { log, maxConnections, corsOrigins, stop }: ServerOptions): Server => {
  const allowed = new Set(corsOrigins)
  const inHand = new Map<Duplex, { origin: string | undefined; response: ServerResponse }>()
  const answer = openAnswer(fetch, allowed)
  const serve: RequestListener = (request, response) => {
    const { socket } = request
    inHand.set(socket, { origin: request.headers.origin, response })
    if (stop.aborted) response.shouldKeepAlive = false
    response.once('close', () => {
      if (inHand.get(socket)?.response === response) inHand.delete(socket)
      // After close() Node keeps a connection whose request was still in hand for all of keepAliveTimeout.
      if (!server.listening) server.closeIdleConnections()
    })
    answer(request, response)
  }
  /** What node:http could not read, or did not wait for. */
  const refuseConnection = (error: Error, socket: Socket) => {
    const call = inHand.get(socket)
    // Gone, or an answer is under way on it already.
    if (!socket.writable || call?.response.headersSent) return void socket.destroy(error)
    endConnection(socket, refuse(unreadProblem(error), call ? call.origin : findOrigin(error), allowed))
  }
  const server = createServer(limits, serve)
  // An expectation that nobody knows may be passed over (RFC 9110, 10.1.1); Node would answer it bare.
  server.on('checkExpectation', serve)
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    sendForBody(request, response)
    serve(request, response)
  })
  server.on('connect', (request, socket) =>
    endConnection(socket, refuse(tunnelProblem(), request.headers.origin, allowed)),
  )
  server.maxConnections = maxConnections
  server.on('drop', () => log.warn({ max: maxConnections }, 'a connection was refused: there are too many'))
  server.on('clientError', refuseConnection)
  stop.addEventListener('abort', () => {
    for (const { response } of inHand.values()) response.shouldKeepAlive = false
  })
  return server
}

/** The app's answer, or a refusal where no URL can be made of a request's target and Host header. */
const openAnswer = (fetch: Fetch, allowed: ReadonlySet<string>) => {
  let latest: IncomingMessage | undefined
  const refuseTarget = () => refuse(new ProblemError('invalid_target'), latest?.headers.origin, allowed)
  const answer = getRequestListener(fetch, {
    // Called before the listener returns: the request is the latest.
    errorHandler: () => {
      const { status, body, headers } = refuseTarget()
      return new Response(body, { status, headers })
    },
  })
  return (request: IncomingMessage, response: ServerResponse) => {
    latest = request
    if (countHosts(request) <= 1) return void answer(request, response)
    const { status, body, headers } = refuseTarget()
    const length = Buffer.byteLength(body ?? '')
    response.writeHead(status, { ...headers, 'Content-Length': length, Connection: 'close' }).end(body)
  }
}

/** More than one is refused: what stands before this server may have gone by the other. Source: RFC 9112, 3.2. */
const countHosts = ({ rawHeaders }: IncomingMessage) => {
  let count = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.length === 4 && rawHeaders[index]?.toLowerCase() === 'host') count++
  }
  return count
}

/**
 * Of a client that asks before it sends a body, the body is sent for when the app begins to read it: what is refused by
 * its head is refused at once. Such an answer ends the connection, since the body may follow all the same.
 */
const sendForBody = (request: IncomingMessage, response: ServerResponse) => {
  response.setHeader('Connection', 'close')
  request.once('resume', () => {
    if (response.headersSent) return
    response.removeHeader('Connection')
    response.writeContinue()
  })
}

/**
 * Answers until `stop` and for `drainMs` more, so that load balancers hear of it; then finishes the requests in hand, and
 * cuts them after the deadline.
 */
export const serveUntilStopped = async (server: Server, { stop, deadline }: Signals, drainMs: number) => {
  await aborted(stop)
  if (drainMs > 0) await pause(drainMs, deadline)
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  await Promise.race([closed, aborted(deadline)])
  server.closeAllConnections()
}
