import { deadLetterTopic } from '#shared/domain/resources.ts'
import type { ConsumeOptions, ConsumerSignals, EventLog } from '#shared/ports/event-log.ts'
import { OutageError } from '#shared/ports/failures.ts'
import { backoff, pause } from '#shared/runtime/backoff.ts'
import type { Log } from '#shared/runtime/log.ts'

import { alarm } from '../alarm.ts'
import { recordRunner } from '../record-runner.ts'
import type { OpenClient } from './client.ts'
import { explainFailure, isFault, isUnknownTopic } from './failures.ts'
import { runSession } from './session.ts'
import type { MemberStatus } from './status.ts'
import type { TopicStore } from './topics.ts'

export type ConsumeContext = {
  openClient: OpenClient
  topicStore: TopicStore
  append: EventLog['append']
  /** Aborts when the handle closes; a deadline for all. */
  closing: AbortSignal
  status: MemberStatus
  log: Log | undefined
}

const outageDelayMs = backoff({ baseMs: 200, capMs: 2_000 })
/** Consumers that end in a row by something other than an outage before it is taken for lasting. */
const maxFaults = 5

/** One member of a group, until `stop`: sessions follow each other, with pauses, as long as outages end them. */
export const runConsumer = async (
  { group, topics, handle, concurrency }: ConsumeOptions,
  signals: ConsumerSignals,
  context: ConsumeContext,
): Promise<void> => {
  const { topicStore, append, status, log } = context
  const abandon = AbortSignal.any([signals.deadline, context.closing])
  const stop = AbortSignal.any([signals.stop, abandon])
  const news = alarm()
  // It outlives the sessions, so that a key's records never overlap, also when its partition comes back.
  const runner = recordRunner({ handle, concurrency, append, stop, log, onSettled: news.ring })
  const isTaking = () => !stop.aborted && !runner.failure()
  const window = Math.max(100, 4 * concurrency)
  const runOne = async () => {
    await topicStore.findTopics([...topics, ...topics.map(deadLetterTopic)])
    const { openClient } = context
    await runSession({ group, topics, openClient, runner, news, window, isTaking, abandon, status, log })
  }
  stop.addEventListener('abort', news.ring)
  abandon.addEventListener('abort', news.ring)
  for (let [outages, faults] = [0, 0]; isTaking(); outages++) {
    const startedAt = performance.now()
    try {
      await runOne()
    } catch (error) {
      // A broker that has just come back may not know its topics yet; the next turn's check decides.
      const explained = isUnknownTopic(error) ? topicsAway(error) : explainFailure(error, topics)
      if (!(explained instanceof OutageError)) throw explained
      const isSettled = performance.now() - startedAt > settledMs
      if (isSettled) outages = 0
      faults = isFault(error) && !isSettled ? faults + 1 : 0
      if (faults >= maxFaults) throw explained
      log?.warn({ err: explained, group }, 'the consumer begins again after a pause')
      await pause(outageDelayMs(outages), stop)
    }
  }
  const failure = runner.failure()
  if (failure) throw failure
}

const topicsAway = (cause: unknown) => new OutageError('the event log', 'its topics are not known', { cause })

/** A session that lasted so long was not failing from the start. */
const settledMs = 60_000
