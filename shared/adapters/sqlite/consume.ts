import { setImmediate } from 'node:timers/promises'

import { deadLetterTopic } from '#shared/domain/resources.ts'
import type { ConsumeOptions, ConsumerSignals, EventLog } from '#shared/ports/event-log.ts'
import { OutageError } from '#shared/ports/failures.ts'
import { backoff, pause } from '#shared/runtime/backoff.ts'
import type { Log } from '#shared/runtime/log.ts'

import { alarm } from '../alarm.ts'
import { recordRunner } from '../record-runner.ts'
import { openAssignment } from './assignment.ts'
import type { Assignment } from './assignment.ts'
import type { Connections } from './database.ts'
import { explainFailure, whileBusy } from './failures.ts'
import { joinGroup, renewEveryMs } from './membership.ts'
import type { RecordStore } from './records.ts'
import type { TopicStore } from './topics.ts'
import type { Bell } from './wake.ts'

export type ConsumeContext = {
  connections: Connections
  path: string
  topics: TopicStore
  records: RecordStore
  bell: Bell
  append: EventLog['append']
  /** Aborts when the handle closes; a deadline for all. */
  closing: AbortSignal
  now: () => Date
  log: Log | undefined
}

/** One member of a group, from joining it until `stop`. */
export const runConsumer = async (
  { group, topics, handle, concurrency }: ConsumeOptions,
  signals: ConsumerSignals,
  context: ConsumeContext,
): Promise<void> => {
  const { path, records, append, now, log } = context
  context.topics.find([...topics, ...topics.map(deadLetterTopic)])
  const abandon = AbortSignal.any([signals.deadline, context.closing])
  const stop = AbortSignal.any([signals.stop, abandon])
  if (stop.aborted) return

  const news = alarm()
  const runner = recordRunner({ handle, concurrency, append, stop, log, onSettled: news.ring })
  const database = context.connections.quick
  const membership = joinGroup({ database, topicStore: context.topics, group, topics, now })
  const window = Math.max(100, 4 * concurrency)
  const assignment = openAssignment({ membership, records, window, dispatch: (task) => void runner.run(task), now })
  const isTaking = () => !stop.aborted && !runner.failure()
  const step = stepper(assignment, isTaking)
  const tryStep = outageTolerant(step.take, { path, abandon, log })
  const leave = () => {
    assignment.commit()
    assignment.giveUpAll()
    membership.leave()
  }

  const hangUp = [context.bell.listen(news.ring), listen(stop, news.ring), listen(abandon, news.ring)]
  try {
    while (!abandon.aborted && !runner.failure() && (isTaking() || runner.inHand() > 0)) {
      await tryStep()
      await news.wait(step.dueInMs())
      // Lets the results and appends of this turn of the event loop come together into one step.
      await setImmediate()
    }
  } finally {
    for (const end of hangUp) end()
    await whileBusy(leave, path).catch((error: unknown) => log?.warn({ err: error, group }, 'leaving the group failed'))
  }
  const failure = runner.failure()
  if (failure) throw failure
}

/** What is done each time that something may have changed. */
const stepper = (assignment: Assignment, isTaking: () => boolean) => {
  let renewAt = 0
  return {
    take: (): void => {
      assignment.commit()
      if (performance.now() >= renewAt) {
        assignment.renew()
        renewAt = performance.now() + renewEveryMs
      }
      assignment.releaseDrained()
      if (isTaking()) assignment.feed()
    },
    dueInMs: (): number => Math.max(0, renewAt - performance.now()),
  }
}

const outageDelayMs = backoff({ baseMs: 50, capMs: 2_000 })

/** Waits out the event log's own outages, one call after the other; throws what no waiting mends. */
const outageTolerant = (work: () => void, context: { path: string; abandon: AbortSignal; log: Log | undefined }) => {
  let outages = 0
  return async (): Promise<void> => {
    try {
      work()
      outages = 0
    } catch (error) {
      const explained = explainFailure(error, context.path)
      if (!(explained instanceof OutageError)) throw explained
      context.log?.warn({ err: explained }, 'the consumer waits for the event log')
      await pause(outageDelayMs(outages++), context.abandon)
    }
  }
}

const listen = (signal: AbortSignal, ring: () => void) => {
  signal.addEventListener('abort', ring)
  return () => signal.removeEventListener('abort', ring)
}
