import { awsVariables, openS3, openSqs } from '#shared/adapters/aws/clients.ts'
import { checkSetup } from '#shared/adapters/check-setup.ts'
import { eventLogVariables, openEventLog } from '#shared/adapters/event-log.ts'
import { gatedHealth } from '#shared/adapters/gated-health.ts'
import { s3JobLedger } from '#shared/adapters/s3/job-ledger.ts'
import { sqsJobQueue } from '#shared/adapters/sqs/job-queue.ts'
import { healthVariables, placeVariables } from '#shared/adapters/variables.ts'
import { topics } from '#shared/domain/resources.ts'
import { readConfig } from '#shared/runtime/config.ts'
import { gate as openGate } from '#shared/runtime/gate.ts'
import type { Lifetime } from '#shared/runtime/lifetime.ts'
import type { Log } from '#shared/runtime/log.ts'
import { openMetrics } from '#shared/runtime/metrics.ts'
import { runProcess, type Part } from '#shared/runtime/run.ts'

import { dispatcherVariables } from './config.ts'
import { consumedTopics, openDispatcher } from './dispatcher.ts'
import { dispatcherMetrics } from './metrics.ts'
import { recordsInHand } from './records-in-hand.ts'

export const scanDispatcherVariables = {
  ...awsVariables,
  STATE_BUCKET: placeVariables.STATE_BUCKET,
  ...dispatcherVariables,
  ...eventLogVariables,
  ...healthVariables(9466),
}

/** Ten batches of jobs: one is under way while others gather, are announced and entered. */
const concurrency = 100

/** The scan-dispatcher of one environment, ready to run. */
export const scanDispatcher =
  (environment: Readonly<Record<string, string | undefined>>) =>
  async ({ log, life }: { log: Log; life: Lifetime }): Promise<readonly Part[]> => {
    const config = readConfig(scanDispatcherVariables, environment)
    const jobs = sqsJobQueue({ client: openSqs(config), queueUrl: config.JOBS_QUEUE_URL })
    const ledger = s3JobLedger({ client: openS3(config), bucket: config.STATE_BUCKET })
    const registry = openMetrics()
    const events = openEventLog(config, { log, registry })
    const inHand = recordsInHand()
    const metrics = dispatcherMetrics(registry, inHand.count)
    const probes = { S3: ledger.ping, SQS: jobs.ping, 'the event log': events.ping }
    const gate = openGate({ probes, log, signal: life.stop })
    const setup = await checkSetup({ ...probes, 'the event log': () => events.checkTopics(topics) }, gate)
    const checks = [{ name: 'the records', problem: inHand.problem }]
    const health = await gatedHealth(config, { registry, gate, events, checks })
    const purposes = config.DISPATCH_PURPOSES
    const now = () => new Date()
    const handle = openDispatcher({ jobs, ledger, events, purposes, now, log, metrics, inHand, gate })
    const options = { group: config.KAFKA_GROUP_ID, topics: consumedTopics, handle, concurrency }
    log.info({ health: health.url }, gate.open ? 'scan-dispatcher is ready' : 'scan-dispatcher has started and waits')
    return [
      health.part,
      {
        name: 'scan-dispatcher',
        run: async (signals) => {
          if (await setup(signals.stop)) await events.consume(options, signals)
          await events.close()
        },
      },
    ]
  }

if (import.meta.main) await runProcess('scan-dispatcher', scanDispatcher(process.env))
