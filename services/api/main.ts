import { awsVariables, openS3 } from '#shared/adapters/aws/clients.ts'
import type { AwsCredentials } from '#shared/adapters/aws/credentials.ts'
import { checkOnce } from '#shared/adapters/check-setup.ts'
import { s3ObjectStore } from '#shared/adapters/s3/object-store.ts'
import { openUploadSigner } from '#shared/adapters/s3/upload-signer.ts'
import { corsVariables, healthVariables, placeVariables } from '#shared/adapters/variables.ts'
import { backoff, retrying } from '#shared/runtime/backoff.ts'
import { healthServer } from '#shared/runtime/health.ts'
import { aborted, type Lifetime } from '#shared/runtime/lifetime.ts'
import { listen } from '#shared/runtime/listen.ts'
import type { Log } from '#shared/runtime/log.ts'
import { openMetrics } from '#shared/runtime/metrics.ts'
import { runProcess, type Part } from '#shared/runtime/run.ts'

import { createApi } from './app.ts'
import { apiVariables, readApiConfig } from './config.ts'
import { identifyBy } from './identity.ts'
import { limitUsers } from './limits.ts'
import { apiMetrics } from './metrics.ts'
import { askRarely } from './readiness.ts'
import { openTokenKeys, type TokenKeys } from './token-keys.ts'
import { openServer, serveUntilStopped } from './server.ts'

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
  async ({ log, life: { stop } }: { log: Log; life: Lifetime }): Promise<{ parts: readonly Part[]; url: string }> => {
    const config = readApiConfig(apiServiceVariables, environment, options)
    const s3 = openS3(config)
    const images = s3ObjectStore({ client: s3, bucket: config.S3_BUCKET })
    const states = s3ObjectStore({ client: s3, bucket: config.STATE_BUCKET })
    const openPublicS3 = (credentials?: AwsCredentials) =>
      openS3(config, config.S3_PUBLIC_ENDPOINT_URL ?? config.AWS_ENDPOINT_URL_S3, credentials)
    const signer = await openUploadSigner(openPublicS3, config.S3_BUCKET)
    const keys = openTokenKeys(config, log)
    const registry = openMetrics()
    // Without credentials no store can be asked either: the cause comes before what follows from it.
    const checks = [
      { name: 'credentials', problem: askRarely({ 'there are no credentials to sign tickets with': signer.ping }) },
      { name: 'token keys', problem: askRarely({ "the keys of the tokens' issuer were not fetched yet": keys.ping }) },
      {
        name: 'storage',
        problem: askRarely({
          'the image store does not answer': images.ping,
          'the store of verdicts does not answer': states.ping,
        }),
      },
    ]
    const findProblem = async () => {
      const found = await Promise.all(checks.map(({ problem }) => problem()))
      return stop.aborted ? 'the process is stopping' : found.find((problem) => problem !== undefined)
    }
    const shut = (_: string, reason: unknown) => log.warn({ reason }, 'not ready yet')
    const found = await Promise.all([
      checkOnce({ images: images.ping, states: states.ping, signer: signer.ping }, { shut }),
      keys.ping().then(
        () => true,
        (reason: unknown) => {
          shut('keys', reason)
          return false
        },
      ),
    ])
    if (!config.S3_CREATE_ONLY) log.warn(overwriteWarning)
    const app = createApi({
      place: { bucket: config.S3_BUCKET, cdnBaseUrl: config.CDN_BASE_URL },
      images,
      states,
      signer,
      identify: identifyBy(keys),
      limitUser: limitUsers({ perMinute: config.RATE_LIMIT_PER_MINUTE }),
      log,
      metrics: apiMetrics(registry),
      problem: findProblem,
      corsOrigins: config.CORS_ORIGINS,
      ticketRules: { seconds: config.TICKET_SECONDS, createOnly: config.S3_CREATE_ONLY },
      now: () => new Date(),
    })
    const server = openServer(app.fetch, {
      log,
      maxConnections: config.MAX_CONNECTIONS,
      corsOrigins: config.CORS_ORIGINS,
      stop,
    })
    const { port } = await listen(server, config.HOST, config.PORT, 'PORT')
    const health = await healthServer({ host: config.HOST, port: config.HEALTH_PORT, registry, checks })
    const url = `http://${config.HOST}:${port}`
    log.info({ url, health: health.url }, found.every(Boolean) ? 'api is ready' : 'api has started and waits')
    const serve: Part = {
      name: 'api',
      run: (signals) => serveUntilStopped(server, signals, config.DRAIN_SECONDS * 1000),
    }
    return { url, parts: [health.part, keysPart(keys), serve] }
  }

/** Fetches published keys as long as that fails, so that the first tokens need not wait for them. */
const keysPart = ({ ping }: TokenKeys): Part => ({
  name: "the keys of the tokens' issuer",
  run: async ({ stop }) => {
    await retrying(ping, { attempts: Infinity, delayMs: keysDelayMs, signal: stop }).catch(() => undefined)
    await aborted(stop)
  },
})

const keysDelayMs = backoff({ baseMs: 500, capMs: 10_000 })

const overwriteWarning =
  'S3_CREATE_ONLY is false: tickets do not ask S3 to create only, so whoever holds one can replace the image until it expires'

if (import.meta.main) await runProcess('api', async (context) => (await api(process.env)(context)).parts)
