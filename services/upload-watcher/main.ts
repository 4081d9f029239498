import { awsVariables, openS3, openSqs } from '#shared/adapters/aws/clients.ts'
import { checkSetup } from '#shared/adapters/check-setup.ts'
import { eventLogVariables, openEventLog } from '#shared/adapters/event-log.ts'
import { gatedHealth } from '#shared/adapters/gated-health.ts'
import { s3ObjectStore } from '#shared/adapters/s3/object-store.ts'
import { sqsMessageQueue } from '#shared/adapters/sqs/message-queue.ts'
import { healthVariables, notificationQueueVariables, placeVariables } from '#shared/adapters/variables.ts'
import { given } from '#shared/domain/given.ts'
import { topics } from '#shared/domain/resources.ts'
import { ConfigError, readConfig, type Config } from '#shared/runtime/config.ts'
import { gate as openGate } from '#shared/runtime/gate.ts'
import type { Lifetime } from '#shared/runtime/lifetime.ts'
import type { Log } from '#shared/runtime/log.ts'
import { openMetrics } from '#shared/runtime/metrics.ts'
import { runProcess, type Part } from '#shared/runtime/run.ts'

import { watcherVariables } from './config.ts'
import { watcherMetrics } from './metrics.ts'
import type { Origin } from './origin.ts'
import { pingAll, probeObjects, probeQueues } from './probes.ts'
import { watchUploads } from './watch.ts'

export const uploadWatcherVariables = {
  ...awsVariables,
  ...placeVariables,
  ...notificationQueueVariables,
  ...watcherVariables,
  ...eventLogVariables,
  ...healthVariables(9465),
}

const receivers = 2
const maxInHand = 100

/** The upload-watcher of one environment, ready to run. */
export const uploadWatcher =
  (environment: Readonly<Record<string, string | undefined>>) =>
  async ({ log, life }: { log: Log; life: Lifetime }): Promise<readonly Part[]> => {
    const config = readConfig(uploadWatcherVariables, environment)
    if (config.QUARANTINE_QUEUE_URL === config.UPLOADS_QUEUE_URL) {
      throw new ConfigError(
        'QUARANTINE_QUEUE_URL is the same as UPLOADS_QUEUE_URL: what is put aside would come back at once',
      )
    }
    const s3 = openS3(config)
    const sqs = openSqs(config)
    const images = s3ObjectStore({ client: s3, bucket: config.S3_BUCKET })
    const states = s3ObjectStore({ client: s3, bucket: config.STATE_BUCKET })
    const uploads = sqsMessageQueue({ client: sqs, queueUrl: config.UPLOADS_QUEUE_URL })
    const quarantine = sqsMessageQueue({ client: sqs, queueUrl: config.QUARANTINE_QUEUE_URL })
    const registry = openMetrics()
    const events = openEventLog(config, { log, registry })
    const metrics = watcherMetrics(registry)
    const probes = {
      S3: (signal: AbortSignal) => probeObjects({ images, states }, signal),
      SQS: (signal: AbortSignal) => probeQueues({ uploads, quarantine }, signal),
      'the event log': events.ping,
    }
    const gate = openGate({ probes, log, signal: life.stop, onChange: metrics.gate })
    const checks = {
      S3: pingAll(images, states),
      SQS: pingAll(uploads, quarantine),
      'the event log': () => events.checkTopics(topics),
    }
    const setup = await checkSetup(checks, gate)
    const health = await gatedHealth(config, { registry, gate, events })
    const place = { bucket: config.S3_BUCKET, cdnBaseUrl: config.CDN_BASE_URL }
    const origin = originOf(config)
    const visibilitySeconds = config.UPLOADS_VISIBILITY_SECONDS
    const deps = {
      images,
      states,
      events,
      place,
      origin,
      uploads,
      quarantine,
      log,
      metrics,
      visibilitySeconds,
      rejectedAction: config.REJECTED_ACTION,
      gate,
      receivers,
      maxInHand,
    }
    log.info({ health: health.url }, gate.open ? 'upload-watcher is ready' : 'upload-watcher has started and waits')
    return [
      health.part,
      {
        name: 'upload-watcher',
        run: async (signals) => {
          if (await setup(signals.stop)) await watchUploads(deps, signals)
          await events.close()
        },
      },
    ]
  }

/** A store with an endpoint of its own is taken for another than AWS. */
export const originOf = (config: Config<typeof uploadWatcherVariables>): Origin => ({
  ...(config.AWS_ENDPOINT_URL_S3 === undefined && { region: config.AWS_REGION }),
  ...given({ account: config.BUCKET_ACCOUNT }),
})

if (import.meta.main) await runProcess('upload-watcher', uploadWatcher(process.env))
