import { createServer, type Server } from 'node:http'

import { getRequestListener } from '@hono/node-server'

import { awsVariables, openS3 } from '#shared/adapters/aws/clients.ts'
import { checkOnce } from '#shared/adapters/check-setup.ts'
import { s3ObjectStore } from '#shared/adapters/s3/object-store.ts'
import { s3UploadSigner } from '#shared/adapters/s3/upload-signer.ts'
import { corsVariables, healthVariables, placeVariables } from '#shared/adapters/variables.ts'
import { healthServer } from '#shared/runtime/health.ts'
import { aborted, type Lifetime, type Signals } from '#shared/runtime/lifetime.ts'
import { listen } from '#shared/runtime/listen.ts'
import type { Log } from '#shared/runtime/log.ts'
import { openMetrics } from '#shared/runtime/metrics.ts'
import { runProcess, type Part } from '#shared/runtime/run.ts'

import { createApi } from './app.ts'
import { apiVariables, readApiConfig } from './config.ts'
import { answerUnreadable } from './failures.ts'
import { openIdentity } from './identity.ts'
import { apiMetrics } from './metrics.ts'
import { askRarely } from './readiness.ts'

export const apiServiceVariables = {
  ...apiVariables,
  ...corsVariables,
  ...awsVariables,
  ...placeVariables,
  ...healthVariables(9464),
}

/** The API of one environment, listening already when its parts are given. */
export const api =
  (environment: Readonly<Record<string, string | undefined>>, options: { localMode: boolean } = { localMode: false }) =>
  async ({ log }: { log: Log; life: Lifetime }): Promise<{ parts: readonly Part[]; url: string }> => {
    const config = readApiConfig(apiServiceVariables, environment, options)
    const s3 = openS3(config)
    const images = s3ObjectStore({ client: s3, bucket: config.S3_BUCKET })
    const publicS3 = openS3(config, config.S3_PUBLIC_ENDPOINT_URL ?? config.AWS_ENDPOINT_URL_S3)
    const registry = openMetrics()
    const states = s3ObjectStore({ client: s3, bucket: config.STATE_BUCKET })
    const problem = askRarely(images.ping)
    const shut = (_: string, reason: unknown) => log.warn({ reason }, 'not ready: S3 is away')
    await checkOnce({ images: images.ping, states: states.ping }, { shut })
    const app = createApi({
      place: { bucket: config.S3_BUCKET, cdnBaseUrl: config.CDN_BASE_URL },
      images,
      states,
      signer: s3UploadSigner({ client: publicS3, bucket: config.S3_BUCKET }),
      identify: openIdentity(config),
      log,
      metrics: apiMetrics(registry),
      problem,
      corsOrigins: config.CORS_ORIGINS,
      ticketSeconds: config.TICKET_SECONDS,
      now: () => new Date(),
    })
    const answer = getRequestListener(app.fetch, { errorHandler: answerUnreadable })
    const server = createServer(limits, (request, response) => {
      // After close() Node keeps a connection whose request was still in hand for all of keepAliveTimeout.
      response.once('close', () => server.listening || server.closeIdleConnections())
      void answer(request, response)
    })
    const { port } = await listen(server, config.HOST, config.PORT, 'PORT')
    const checks = [{ name: 'storage', problem }]
    const health = await healthServer({ host: config.HOST, port: config.HEALTH_PORT, registry, checks })
    const url = `http://${config.HOST}:${port}`
    log.info({ url, health: health.url }, 'api is ready')
    return { url, parts: [health.part, { name: 'api', run: (signals) => serve(server, signals) }] }
  }

const limits = { requestTimeout: 10_000, headersTimeout: 5_000, keepAliveTimeout: 65_000, maxHeaderSize: 16_384 }

/** Answers until `stop`, then finishes the requests in hand; after the deadline it cuts them. */
const serve = async (server: Server, { stop, deadline }: Signals) => {
  await aborted(stop)
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  await Promise.race([closed, aborted(deadline)])
  server.closeAllConnections()
}

if (import.meta.main) await runProcess('api', async (context) => (await api(process.env)(context)).parts)
