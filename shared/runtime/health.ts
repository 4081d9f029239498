import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

import { Gauge, type Registry } from 'prom-client'

import { pause } from './backoff.ts'
import { aborted } from './lifetime.ts'
import { listen } from './listen.ts'
import { messageOf } from './message-of.ts'
import { redact } from './redact.ts'
import type { Part } from './run.ts'

/** A condition of readiness. `problem` gives undefined when all is well, else a sentence. */
export type Check = { name: string; problem: () => string | undefined | Promise<string | undefined> }

type Answer = { status: number; contentType?: string; allow?: string; body: string }

const checkTimeoutMs = 1000

/**
 * Health and metrics on a port of their own: `/healthz` (the process lives), `/readyz` (every check is fine and no stop
 * was asked for) and `/metrics`. It listens already when this resolves; its part answers until all other parts have
 * ended. @throws ListenError.
 */
export const healthServer = async (options: {
  host: string
  port: number
  registry: Registry
  checks: readonly Check[]
}): Promise<{ port: number; url: string; part: Part }> => {
  const { host, registry } = options
  let checks = options.checks
  exportChecks(registry, () => checks)
  const routes: Readonly<Record<string, () => Promise<Answer>>> = {
    '/healthz': () => Promise.resolve(json(200, { status: 'ok' })),
    '/readyz': () => answerReadiness(checks),
    '/metrics': async () => ({ status: 200, contentType: registry.contentType, body: await registry.metrics() }),
  }
  const server = createServer((request, response) => void respond(request, response, routes))
  const { port } = await listen(server, host, options.port, 'HEALTH_PORT')
  const run: Part['run'] = async ({ stop, deadline }) => {
    await aborted(stop)
    checks = [{ name: 'process', problem: () => 'is stopping' }]
    await aborted(deadline)
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  }
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}`
  return { port, url, part: { name: 'health server', run, last: true } }
}

const respond = async (
  request: IncomingMessage,
  response: ServerResponse,
  routes: Readonly<Record<string, () => Promise<Answer>>>,
) => {
  const answer = await answerRequest(request, routes)
  response.writeHead(answer.status, {
    'content-type': answer.contentType ?? 'application/json',
    'content-length': Buffer.byteLength(answer.body),
    'cache-control': 'no-store',
    ...(answer.allow && { allow: answer.allow }),
  })
  response.end(request.method === 'HEAD' ? undefined : answer.body)
}

const answerRequest = async (
  { method, url = '' }: IncomingMessage,
  routes: Readonly<Record<string, () => Promise<Answer>>>,
): Promise<Answer> => {
  const path = url.split('?')[0] ?? ''
  const route = routes[path]
  if (!route) return json(404, { error: `there is nothing here but ${Object.keys(routes).join(', ')}` })
  if (method !== 'GET' && method !== 'HEAD') return { ...json(405, { error: 'only read' }), allow: 'GET, HEAD' }
  try {
    return await route()
  } catch (error) {
    return json(500, { error: describe(error) })
  }
}

const answerReadiness = async (checks: readonly Check[]): Promise<Answer> => {
  const found = await findProblems(checks)
  const problems = Object.fromEntries(found.filter(([, problem]) => problem !== undefined))
  const ready = Object.keys(problems).length === 0
  return json(ready ? 200 : 503, { status: ready ? 'ready' : 'not ready', problems })
}

/** The checks as a metric. One that is no longer made keeps its series. */
export const exportChecks = (registry: Registry, checks: () => readonly Check[]) =>
  new Gauge({
    name: 'image_intake_check_failed',
    help: 'Checks of readiness: 1 while the service is not ready for this reason.',
    labelNames: ['check'],
    registers: [registry],
    async collect() {
      const found = await findProblems(checks())
      for (const [check, problem] of found) this.set({ check }, problem === undefined ? 0 : 1)
    },
  })

const findProblems = (checks: readonly Check[]) =>
  Promise.all(checks.map(async (check) => [check.name, await findProblem(check)] as const))

const findProblem = async ({ problem }: Check): Promise<string | undefined> => {
  const over = new AbortController()
  try {
    const late = pause(checkTimeoutMs, over.signal).then(() => 'did not answer within 1 s')
    return await Promise.race([problem(), late])
  } catch (error) {
    return describe(error)
  } finally {
    over.abort()
  }
}

const describe = (error: unknown) => redact(messageOf(error))

const json = (status: number, value: unknown): Answer => ({ status, body: `${JSON.stringify(value)}\n` })
