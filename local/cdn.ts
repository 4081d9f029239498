import { createServer } from 'node:http'

import { awsVariables, openS3 } from '#shared/adapters/aws/clients.ts'
import { openObjects } from '#shared/adapters/s3/open-object.ts'
import { s3ObjectStore } from '#shared/adapters/s3/object-store.ts'
import { healthVariables, placeVariables } from '#shared/adapters/variables.ts'
import { purposePrefixes } from '#shared/domain/resources.ts'
import { portSchema, readConfig, variable } from '#shared/runtime/config.ts'
import { healthServer } from '#shared/runtime/health.ts'
import { aborted } from '#shared/runtime/lifetime.ts'
import { listen } from '#shared/runtime/listen.ts'
import { openMetrics } from '#shared/runtime/metrics.ts'
import { runProcess, type Start } from '#shared/runtime/run.ts'

import { cdn } from './cdn/cdn.ts'

export const cdnVariables = {
  ...awsVariables,
  S3_BUCKET: placeVariables.S3_BUCKET,
  PORT: variable("Port of the CDN's stand-in; 0 lets the system choose.", '3000', portSchema.default(3000)),
  ...healthVariables(9467),
}

/** The CDN's stand-in as a process of its own, before a bucket that is elsewhere. */
const start: Start = async ({ log }) => {
  const config = readConfig(cdnVariables, process.env)
  const s3 = openS3(config)
  const readObject = openObjects({ client: s3, bucket: config.S3_BUCKET })
  const server = createServer(cdn({ mount: '/', prefixes: purposePrefixes, readObject }))
  const { port } = await listen(server, config.HOST, config.PORT, 'PORT')
  const { ping } = s3ObjectStore({ client: s3, bucket: config.S3_BUCKET })
  const checks = [{ name: 'storage', problem: () => ping().then(() => undefined) }]
  const registry = openMetrics()
  const health = await healthServer({ host: config.HOST, port: config.HEALTH_PORT, registry, checks })
  log.info({ url: `http://${config.HOST}:${port}`, health: health.url }, 'cdn is ready')
  return [
    health.part,
    {
      name: 'cdn',
      run: async ({ stop }) => {
        await aborted(stop)
        server.close()
        server.closeAllConnections()
        s3.destroy()
      },
    },
  ]
}

await runProcess('cdn', start)
