import { once } from 'node:events'
import type { Server } from 'node:net'

import { messageOf } from './message-of.ts'

/** The address can't be listened on; the message says what to change. */
export class ListenError extends Error {
  override readonly name = 'ListenError'
}

/**
 * Listens on `host` and `port` (0: the system chooses).
 * @throws ListenError that names the variable which holds the port.
 */
export const listen = async (
  server: Server,
  host: string,
  port: number,
  variableName: string,
): Promise<{ port: number }> => {
  try {
    server.listen(port, host)
    await once(server, 'listening')
  } catch (error) {
    throw new ListenError(describeListenProblem(error, host, port, variableName))
  }
  const address = server.address()
  // A string only for pipes, null only when not listening.
  return { port: typeof address === 'object' && address !== null ? address.port : port }
}

const describeListenProblem = (error: unknown, host: string, port: number, variableName: string): string => {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'EADDRINUSE') return `port ${port} is taken by another process: set ${variableName} to a free one`
  if (code === 'EACCES') return `port ${port} is not open to this user: set ${variableName} to one from 1024 on`
  return `can't listen on ${host}, port ${port} (${variableName}): ${messageOf(error)}`
}
