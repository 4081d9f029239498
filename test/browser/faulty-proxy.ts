import { once } from 'node:events'
import { createServer, request as sendRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

/** What befalls a request on its way. */
export type Fault =
  | { kind: 'cut before' }
  /** The other side has done it, but its answer never comes. */
  | { kind: 'answer lost' }
  | { kind: 'body changed'; change: (body: string) => string | Promise<string> }
  | { kind: 'headers added'; headers: Readonly<Record<string, string>> }

/** A request that came to its end on the other side. */
export type Passed = { method: string; url: string; headers: IncomingMessage['headers']; status: number }

/** An HTTP proxy for a browser, as a bad network would be. */
export const startFaultyProxy = async () => {
  const passed: Passed[] = []
  let plan: (method: string, url: string) => Fault | undefined = () => undefined
  const pass = async (request: IncomingMessage, response: ServerResponse) => {
    const { method = '', url = '', headers } = request
    const fault = plan(method, url)
    const body = await buffer(request)
    if (fault?.kind === 'cut before') return request.socket.destroy()
    const answer = await forward(url, { method, headers }, body)
    passed.push({ method, url, headers, status: answer.status })
    if (fault?.kind === 'answer lost') return request.socket.destroy()
    const changed = fault?.kind === 'body changed' ? await fault.change(answer.body.toString()) : answer.body
    if (fault?.kind === 'body changed') delete answer.headers['content-length']
    response.writeHead(answer.status, { ...answer.headers, ...(fault?.kind === 'headers added' && fault.headers) })
    return response.end(changed)
  }
  const server = createServer((request, response) => {
    pass(request, response).catch(() => request.socket.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // it listens on a port
  return {
    url: `http://127.0.0.1:${port}`,
    passed,
    /** Asked at each request from now on. */
    interfere: (next: typeof plan) => void (plan = next),
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

export type FaultyProxy = Awaited<ReturnType<typeof startFaultyProxy>>

/** The host stays the one that the URL names: a ticket's signature covers it. */
const forward = async (
  url: string,
  { method, headers }: { method: string; headers: IncomingMessage['headers'] },
  body: Buffer,
) => {
  const outgoing = sendRequest(url, { method, headers, agent: false }).end(body)
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage] // by Node's docs
  return { status: answer.statusCode ?? 0, headers: { ...answer.headers }, body: await buffer(answer) }
}
