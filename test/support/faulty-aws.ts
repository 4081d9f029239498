import { createServer, request as forward, type IncomingMessage, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import { buffer } from 'node:stream/consumers'

/**
 * `away`: every connection is cut. `throttled`: 503. `deaf`: each call has its effect, and its answer is lost. `doubled`:
 * each call is made twice, and the second answer given. `silent`: each call but a probe has its effect, and no answer until
 * the fault ends, which cuts it.
 */
export type Fault = 'none' | 'away' | 'throttled' | 'deaf' | 'doubled' | 'silent'

/** What only asks whether the service answers. */
export const isProbe = (call: string) => /GetQueueAttributes|HEAD/.test(call)

/** Stands between a service and its S3 or SQS, at an address of its own; signatures stay right. */
export const startFaultyAws = async (target: string) => {
  let fault: Fault = 'none'
  const calls: string[] = []
  const silent = new Map<ServerResponse, string>()

  const pass = async ({ method, url, headers }: IncomingMessage, body: Buffer) => {
    const call = forward(`${target}${url ?? ''}`, { method, headers })
    call.end(body)
    // The event's one argument, by Node's docs.
    const [answer] = (await once(call, 'response')) as [IncomingMessage]
    return { answer, body: await buffer(answer) }
  }
  const respond = async (request: IncomingMessage, response: ServerResponse) => {
    const { method = '', url = '', headers } = request
    const name = String(headers['x-amz-target'] ?? `${method} ${url}`)
    calls.push(name)
    const body = await buffer(request)
    const meant = fault
    if (meant === 'away') return void response.destroy()
    if (meant === 'throttled') return void response.writeHead(503).end()
    const passed = await pass(request, body)
    const { answer, body: text } = meant === 'doubled' ? await pass(request, body) : passed
    if (meant === 'deaf') return void response.destroy()
    if (meant === 'silent' && !isProbe(name)) return void silent.set(response, name)
    response.writeHead(answer.statusCode ?? 500, answer.headers).end(text)
  }
  const server = createServer((request, response) => void respond(request, response).catch(() => response.destroy()))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('it listens on no port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    calls,
    /** Calls that had their effect, and have no answer. */
    silentCalls: () => [...silent.values()],
    be: (next: Fault) => {
      fault = next
      for (const response of silent.keys()) response.destroy()
      silent.clear()
    },
    close: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
