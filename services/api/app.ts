import { randomUUID } from 'node:crypto'

import { OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { cors } from 'hono/cors'
import { secureHeaders } from 'hono/secure-headers'

import { purposeNames } from '#shared/domain/purposes.ts'

import { docsPage } from './docs-page.ts'
import { toProblem, writeProblem } from './failures.ts'
import { deleteImage, issueTicket, readMetadata, type ApiDeps, type Env } from './handlers.ts'
import { describeApi } from './openapi.ts'
import { ProblemError } from './problems.ts'

type App = OpenAPIHono<Env>

const maxBodyBytes = 16_384

/** The HTTP surface of the API; it needs no socket (`app.request` in tests). */
export const createApi = (deps: ApiDeps) => {
  const app: App = new OpenAPIHono()
  app.use(async (c, next) => {
    c.set('requestId', randomUUID())
    c.header('X-Request-Id', c.get('requestId'))
    c.header('Cache-Control', 'no-store')
    await next()
    deps.metrics.answered(c.req.method, c.res.status)
  })
  app.use(secureHeaders())
  app.use(cors(corsOptions(deps.corsOrigins)))
  app.use('/images/*', bodyLimit({ maxSize: maxBodyBytes, onError: refuseBody }))
  routeTickets(app, deps)
  routeImages(app, deps)
  routeDocuments(app)
  routeProbes(app, deps)

  const answerProblem = (c: Context<Env>, error: unknown) => {
    const problem = toProblem(error, deps.log, c.get('requestId'))
    const { body, status, headers } = writeProblem(problem, c.get('requestId'))
    return c.body(body, status, headers)
  }
  app.notFound((c) => answerProblem(c, new ProblemError('route_not_found', 'Nothing is at this path: see /docs.')))
  app.onError((error, c) => answerProblem(c, error))
  return app
}

const corsOptions = (origins: readonly string[]) => ({
  origin: [...origins],
  allowMethods: ['GET', 'POST', 'DELETE'],
  allowHeaders: ['Authorization', 'Content-Type'],
  exposeHeaders: ['X-Request-Id', 'Retry-After'],
  maxAge: 3600,
})

const routeTickets = (app: App, deps: ApiDeps) => {
  for (const purpose of [undefined, ...purposeNames]) {
    const path = purpose ? `/images/presigned-url/${purpose}` : '/images/presigned-url'
    app.post(path, async (c) => c.json(await issueTicket(deps, c, purpose)))
    app.all(path, allowOnly('POST'))
  }
}

const routeImages = (app: App, deps: ApiDeps) => {
  app.get('/images/:key{.+}/metadata', async (c) => c.json(await readMetadata(deps, c)))
  app.all('/images/:key{.+}/metadata', allowOnly('GET, HEAD'))
  app.delete('/images/:key{.+}', async (c) => {
    await deleteImage(deps, c)
    return c.body(null, 204)
  })
  app.all('/images/:key{.+}', allowOnly('DELETE'))
}

const routeDocuments = (app: App) => {
  describeApi(app.openAPIRegistry)
  const document = app.getOpenAPI31Document({ openapi: '3.1.0', info: { title: 'image-intake', version: '0.1.0' } })
  app.get('/openapi.json', (c) => c.json(document))
  app.get('/docs', (c) => c.html(docsPage(document)))
  for (const path of ['/openapi.json', '/docs']) app.all(path, allowOnly('GET, HEAD'))
}

const routeProbes = (app: App, deps: ApiDeps) => {
  app.get('/healthz', (c) => c.json({ status: 'ok' }))
  app.get('/readyz', async (c) => {
    const problem = await deps.problem()
    return problem === undefined ? c.json({ status: 'ready' }) : c.json({ status: 'waiting', problem }, 503)
  })
  for (const path of ['/healthz', '/readyz']) app.all(path, allowOnly('GET, HEAD'))
}

const refuseBody = () => {
  throw new ProblemError('body_too_large', `A request's body may have at most ${maxBodyBytes} bytes.`)
}

/** For the methods that a route above does not take. */
const allowOnly = (methods: string) => () => {
  throw new ProblemError('method_not_allowed', `This route takes ${methods}.`, { headers: { Allow: methods } })
}
