import { done, reject, type DeadLettered, type RecordOutcome } from '#shared/domain/outcomes.ts'
import { maxAttempts, type LogRecord, type RecordHandler } from '#shared/ports/event-log.ts'
import { OutageError, SetupError } from '#shared/ports/failures.ts'
import type { Gate } from '#shared/runtime/gate.ts'
import type { Log } from '#shared/runtime/log.ts'
import { traceIdOf } from '#shared/runtime/tracing.ts'

import { openCancel } from './cancel.ts'
import { openDispatch } from './dispatch.ts'
import type { DispatcherMetrics } from './metrics.ts'
import { identify } from './read-event.ts'
import { recentIds } from './recent-ids.ts'
import type { RecordsInHand } from './records-in-hand.ts'
import type { Settle, SettleDeps, Settled } from './settled.ts'

export type DispatcherDeps = SettleDeps & {
  log: Log
  metrics: DispatcherMetrics
  inHand: RecordsInHand
  gate: Pick<Gate, 'shut' | 'opened'>
}

export const consumedTopics = ['image.uploaded', 'image.deleted'] as const

/** A day's deletions of a busy installation: of what was deleted a moment ago, the ledger is asked even when the event is young. */
const mostCancelled = 100_000

type Kind<Outcome> = {
  settle: Settle<Outcome>
  count: (outcome: Outcome | DeadLettered, delayMs?: number) => void
}

/** Handles the records of both topics. An outage is waited for here, record in hand, and then thrown on. */
export const openDispatcher = (deps: DispatcherDeps): RecordHandler => {
  const { metrics } = deps
  const cancelled = recentIds(mostCancelled)
  const handleUpload = handleBy(deps, { settle: openDispatch(deps, cancelled), count: metrics.uploaded })
  const handleRemoval = handleBy(deps, { settle: openCancel(deps, cancelled), count: metrics.deleted })
  return (record, context) => (record.topic === 'image.deleted' ? handleRemoval : handleUpload)(record, context)
}

const handleBy = <Outcome extends string>(deps: DispatcherDeps, { settle, count }: Kind<Outcome>): RecordHandler => {
  const { metrics, inHand, gate, log } = deps

  /** Counts a record once, and one that is not ours any more not at all. */
  const finish = (record: LogRecord, outcome: Outcome | DeadLettered, delayMs?: number) => {
    if (inHand.drop(record)) count(outcome, delayMs)
  }
  const conclude = (record: LogRecord, settled: Settled<Outcome>): RecordOutcome => {
    if ('reason' in settled) {
      giveUp(record, settled.reason)
      return reject(settled.reason)
    }
    const { outcome, key, jobId, eventId, traceparent, delayMs } = settled
    finish(record, outcome, delayMs)
    const ids = { job_id: jobId, event_id: eventId, trace_id: traceIdOf(traceparent) }
    log.info({ outcome, key, ...ids }, `${record.topic}: ${outcome}`)
    return done
  }
  const giveUp = (record: LogRecord, reason: unknown) => {
    const outcome = 'dead_lettered'
    finish(record, outcome)
    log.warn({ outcome, key: record.key, reason, ...identify(record) }, `${record.topic}: ${outcome}`)
  }
  const awaitReturn = async (record: LogRecord, error: OutageError, signal: AbortSignal) => {
    inHand.wait(record)
    gate.shut(error.service, error)
    await gate.opened(signal)
  }

  return async (record, { signal, attempt }) => {
    if (inHand.take(record, signal, () => metrics.abandoned(record.topic))) metrics.taken(record.topic)
    try {
      return conclude(record, await settle(record, signal))
    } catch (error) {
      // What is not ours any more says nothing: its own abort looks like an outage.
      if (signal.aborted) throw error
      if (error instanceof OutageError) await awaitReturn(record, error, signal)
      else if (attempt >= maxAttempts && !(error instanceof SetupError)) giveUp(record, error)
      throw error
    }
  }
}
