import { randomUUID } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'

import { completeAnswer, type Answer } from './answers.ts'
import { writeProblem } from './failures.ts'
import { ProblemError, type ProblemCode } from './problems.ts'

/** The answer to what never becomes a request of the app. */
export const refuse = (problem: ProblemError, origin: string | undefined, allowed: ReadonlySet<string>): Answer => {
  const requestId = randomUUID()
  return completeAnswer(writeProblem(problem, requestId), requestId, origin, allowed)
}

/** The problem of bytes that node:http could not read, or did not wait for. */
export const unreadProblem = (error: Error) => new ProblemError(codeOf(error))

const codeOf = (error: Error): ProblemCode => {
  const code = 'code' in error ? error.code : undefined
  if (code === 'HPE_HEADER_OVERFLOW') return 'headers_too_large'
  if (code === 'HPE_INVALID_EOF_STATE') return 'request_incomplete'
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'request_timeout' : 'malformed_request'
}

export const tunnelProblem = () =>
  new ProblemError('method_not_allowed', 'This server opens no tunnels.', {
    headers: { Allow: 'GET, HEAD, POST, DELETE' },
  })

/** The origin among bytes that could not be read, where it stands in the packet that the failure is about. */
export const findOrigin = (error: Error): string | undefined =>
  'rawPacket' in error && Buffer.isBuffer(error.rawPacket)
    ? /\norigin:[ \t]*(\S+)[ \t]*\r?\n/i.exec(error.rawPacket.toString('latin1'))?.[1]
    : undefined

/** Whoever does not close its side meanwhile is cut, so that nobody holds a connection that nothing is read from. */
const lingerMs = 1_000

/** An answer written by hand, since node:http has no response to write it on; the connection ends with it. */
export const endConnection = (socket: Duplex, { status, body, headers }: Answer) => {
  const lines = Object.entries({ ...headers, 'Content-Length': Buffer.byteLength(body ?? ''), Connection: 'close' })
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  const cut = setTimeout(() => socket.destroy(), lingerMs)
  socket.once('close', () => clearTimeout(cut))
  socket.on('error', () => socket.destroy())
  socket.resume()
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${head}\r\n${body ?? ''}`)
}
