import { awsVariables, openS3 } from '../../shared/adapters/aws/clients.ts'
import { checkSetup } from '../../shared/adapters/check-setup.ts'
import { eventLogVariables, openEventLog } from '../../shared/adapters/event-log.ts'
import { gatedHealth } from '../../shared/adapters/gated-health.ts'
import { healthVariables } from '../../shared/adapters/variables.ts'
import { deadLetterTopic, topics } from '../../shared/domain/resources.ts'
import { pause } from '../../shared/runtime/backoff.ts'
import { readConfig } from '../../shared/runtime/config.ts'
import { gate as openGate } from '../../shared/runtime/gate.ts'
import type { Lifetime } from '../../shared/runtime/lifetime.ts'
import type { Log } from '../../shared/runtime/log.ts'
import { openMetrics } from '../../shared/runtime/metrics.ts'
import { runProcess, type Part } from '../../shared/runtime/run.ts'
import { pathBudget } from './budget.ts'
import { cloudFront } from './cloudfront.ts'
import { invalidatorVariables } from './config.ts'
import { handleRemoval, removalTopics } from './handle.ts'
import { openInvalidator } from './invalidator.ts'

export const cdnInvalidatorVariables = {
  ...awsVariables,
  ...invalidatorVariables,
  ...eventLogVariables,
  ...healthVariables(9467),
}

/** Records that may wait for their turn; a call takes all that wait. */
const concurrency = 3000
const gatherMs = 2_000
const group = 'cdn-invalidator'
/** The resources table has the dead letters of what the services consume themselves. */
const letters = removalTopics
  .map((topic) => ({ name: deadLetterTopic(topic), partitions: 1, retentionDays: 30 }))
  .filter((letter) => !topics.some(({ name }) => name === letter.name))

/** The consumer of one environment that takes removed and rejected images out of the CDN's caches, ready to run. */
export const cdnInvalidator =
  (environment: Readonly<Record<string, string | undefined>>) =>
  async ({ log, life }: { log: Log; life: Lifetime }): Promise<readonly Part[]> => {
    const config = readConfig(cdnInvalidatorVariables, environment)
    const registry = openMetrics()
    const events = openEventLog(config, { log, registry })
    const gate = openGate({ probes: { 'the event log': events.ping }, log, signal: life.stop })
    const makeLetters = async () => {
      for (const change of await events.ensureTopics(letters)) log.info(change)
    }
    const setup = await checkSetup({ 'the event log': makeLetters }, gate)
    const health = await gatedHealth(config, { registry, gate, events })
    const send = cloudFront({
      client: openS3(config),
      distributionId: config.CDN_DISTRIBUTION_ID,
      endpoint: config.AWS_ENDPOINT_URL_CLOUDFRONT,
    })
    const now = () => performance.now()
    const budget = pathBudget(config.INVALIDATIONS_PER_MONTH, now())
    const invalidator = openInvalidator({ send, budget, log, gatherMs, now, pause })
    const options = { group, topics: [...removalTopics], handle: handleRemoval(invalidator), concurrency }
    log.info({ health: health.url }, gate.open ? 'cdn-invalidator is ready' : 'cdn-invalidator has started and waits')
    return [
      health.part,
      {
        name: 'cdn-invalidator',
        run: async (signals) => {
          if (await setup(signals.stop)) await Promise.all([invalidator.run(signals), events.consume(options, signals)])
          await events.close()
        },
      },
    ]
  }

if (import.meta.main) await runProcess('cdn-invalidator', cdnInvalidator(process.env))
