import { randomUUID } from 'node:crypto'

import { Hono, type Context } from 'hono'
import { getPath as pathOf } from 'hono/utils/url'

import { purposeNames } from '#shared/domain/purposes.ts'
import { readTraceparent } from '#shared/domain/traceparent.ts'
import { traceWork } from '#shared/runtime/tracing.ts'

import { answerPreflight, completeAnswer, json, type Answer } from './answers.ts'
import { checkBodyLength } from './bodies.ts'
import { docsPage } from './docs-page.ts'
import { answerFailure } from './failures.ts'
import {
  deleteImage,
  issueTicket,
  readMetadata,
  type HandlerDeps,
  type RequestMarks,
  type UserCall,
} from './handlers.ts'
import type { Identify } from './identity.ts'
import { describeAllowance, type LimitUser } from './limits.ts'
import { describeApi } from './openapi.ts'
import type { RouteName } from './metrics.ts'
import { ProblemError } from './problems.ts'
import { readinessRestMs } from './readiness.ts'
import { livenessRoute, readinessRoute } from './service-routes.ts'

export type ApiDeps = HandlerDeps & {
  identify: Identify
  limitUser: LimitUser
  /** A sentence when the API can't do its work now. */
  problem: () => Promise<string | undefined>
  corsOrigins: readonly string[]
}

/** Answers a request; what it throws becomes a problem document. */
type Run = (c: Context, marks: RequestMarks) => Answer | Promise<Answer>

const ticketPath = '/images/presigned-url'

const routePaths: Readonly<Record<RouteName, string>> = {
  tickets: ticketPath,
  metadata: '/images/{key}/metadata',
  images: '/images/{key}',
  preflight: '*',
  service: '/{document}',
  none: '',
}

/** The longest key has 564 characters, which may all be percent-encoded. */
const maxUrlLength = 2_048

/** An overlong path is answered unrouted: matching it may take more than linear time. */
const getPath = (request: Request) => (request.url.length > maxUrlLength ? '/' : pathOf(request))

/** The HTTP surface of the API; it needs no socket (`app.request` in tests). */
export const createApi = (deps: ApiDeps) => {
  const app = new Hono({ getPath })
  const allowedOrigins = new Set(deps.corsOrigins)
  const serve = openServe(deps, allowedOrigins)
  const asUser = openAsUser(deps)
  const refuse: Run = (c) => throwMisrouted(c, (method) => app.router.match(method, c.req.path)[0].length > 0)

  app.options(
    '*',
    serve('preflight', (c) => answerPreflight(c, allowedOrigins)),
  )
  for (const purpose of [undefined, ...purposeNames]) {
    const path = purpose ? `${ticketPath}/${purpose}` : ticketPath
    app.post(
      path,
      serve(
        'tickets',
        asUser((call) => issueTicket(deps, call, purpose)),
      ),
    )
  }
  app.get(
    '/images/:key{.+}/metadata',
    serve(
      'metadata',
      asUser((call) => readMetadata(deps, call)),
    ),
  )
  const remove = asUser((call) => deleteImage(deps, call))
  app.delete(
    '/images/:key{.+}',
    serve('images', (c, marks) => (ownMethods(c.req.path) ? refuse : remove)(c, marks)),
  )
  for (const [path, answer] of Object.entries({ ...probes(deps), ...documents() }))
    app.get(path, serve('service', answer))
  app.notFound(serve('none', refuse))
  return app
}

/** The methods of paths that look like keys and are none. */
const ownMethods = (path: string): readonly string[] | undefined => {
  if (path.endsWith('/metadata')) return ['GET']
  return asksTicket(path) ? ['POST'] : undefined
}

const asksTicket = (path: string) => path === ticketPath || path.startsWith(`${ticketPath}/`)

/**
 * Refuses a method that a route does not take, or a path where no route is. That this is found out here, and not by a
 * handler for all methods, leaves one handler to each route: Hono's short way, and its fast router.
 */
const throwMisrouted = ({ req: { path } }: Context, takes: (method: string) => boolean): never => {
  const methods = ownMethods(path) ?? ['GET', 'POST', 'DELETE']
  const allowed = methods.filter(takes).map((method) => (method === 'GET' ? 'GET, HEAD' : method))
  if (allowed.length === 0) throw new ProblemError('route_not_found', asksTicket(path) ? noPurpose : noRoute)
  const Allow = allowed.join(', ')
  throw new ProblemError('method_not_allowed', `This route takes ${Allow}.`, { headers: { Allow } })
}

const noRoute = 'Nothing is at this path: see /docs.'
const noPurpose = `Tickets are for ${purposeNames.join(', ')}: POST ${ticketPath}/${purposeNames[0]}, for example.`

/** Every answer's way out: problems are written, counted, and given the headers that all have. */
const openServe = ({ log, metrics }: ApiDeps, allowed: ReadonlySet<string>) => {
  return (route: RouteName, run: Run) => async (c: Context) => {
    const startedMs = performance.now()
    const { method } = c.req
    const parent = readTraceparent(c.req.header('traceparent'))
    const work = traceWork(`${method} ${routePaths[route]}`, {
      kind: 'server',
      parent,
      attributes: { 'http.request.method': method },
    })
    const requestId = randomUUID()
    const settled = await settle(run, c, { requestId, traceparent: work.traceparent })
    const { status, body, headers } = completeAnswer(settled, requestId, c.req.header('Origin'), allowed)
    metrics.answered({ route, method, status, seconds: (performance.now() - startedMs) / 1000 })
    work.end(describeEnd(route, status))
    return new Response(body, { status, headers })
  }
  async function settle(run: Run, c: Context, marks: RequestMarks) {
    try {
      if (c.req.url.length > maxUrlLength) throw new ProblemError('url_too_long')
      checkBodyLength(c.req)
      return await run(c, marks)
    } catch (error) {
      return answerFailure(error, log, marks.requestId)
    }
  }
}

/** A client's mistake is no error of the server's span. Source: OpenTelemetry semantic conventions for HTTP spans. */
const describeEnd = (route: RouteName, status: number) => ({
  attributes: { 'http.route': routePaths[route], 'http.response.status_code': status },
  ...(status >= 500 && { error: String(status) }),
})

/** Lets a caller in whose token is right and who has calls left; every answer says how many. */
const openAsUser =
  ({ identify, limitUser, log }: ApiDeps) =>
  (run: (call: UserCall) => Promise<Answer>): Run =>
  async (c, marks) => {
    const userId = await identify(c.req.header('Authorization'))
    const allowance = limitUser(userId)
    if (!allowance) return run({ c, ...marks, userId })
    const { requestId } = marks
    const answer = allowance.allowed
      ? await run({ c, ...marks, userId }).catch((error: unknown) => answerFailure(error, log, requestId))
      : answerFailure(rateLimited(allowance.retryAfterSeconds), log, requestId)
    return { ...answer, headers: { ...answer.headers, ...describeAllowance(allowance) } }
  }

const rateLimited = (seconds: number) =>
  new ProblemError('rate_limited', `Too many calls: try again in ${seconds} s.`, {
    headers: { 'Retry-After': String(seconds) },
  })

const documents = (): Record<string, Run> => {
  const document = describeApi()
  const [text, page] = [JSON.stringify(document), docsPage(document)]
  return {
    '/openapi.json': () => ({ status: 200, body: text, headers: { 'Content-Type': 'application/json' } }),
    '/docs': async () => ({ status: 200, body: await page, headers: { 'Content-Type': 'text/html; charset=UTF-8' } }),
  }
}

const probes = ({ problem: findProblem }: ApiDeps): Record<string, Run> => ({
  '/healthz': () => json(livenessRoute, 200, { status: 'ok' }),
  '/readyz': async () => {
    const problem = await findProblem()
    return problem === undefined
      ? json(readinessRoute, 200, { status: 'ready' })
      : json(readinessRoute, 503, { status: 'waiting', problem }, { 'Retry-After': String(readinessRestMs / 1000) })
  },
})
