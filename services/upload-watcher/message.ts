import { OutageError, SetupError } from '#shared/ports/failures.ts'
import type { MessageQueue, QueueMessage } from '#shared/ports/message-queue.ts'
import { backoff, retrying } from '#shared/runtime/backoff.ts'
import { messageOf } from '#shared/runtime/message-of.ts'
import { traceIdOf } from '#shared/runtime/tracing.ts'

import { startHeartbeat, type HeartbeatDeps } from './heartbeat.ts'
import type { WatcherMetrics } from './metrics.ts'
import { parseNotification, type Notification, type ReadRecord } from './notification.ts'
import { describeReasons, storeQuarantine, type Unsettled } from './quarantine.ts'
import { settleRecord, type SettleDeps, type Settled } from './settle.ts'
import { quarantined } from './settled.ts'

export type MessageDeps = SettleDeps &
  HeartbeatDeps & { uploads: MessageQueue; quarantine: MessageQueue; metrics: WatcherMetrics }

/** A record's own failures before it is quarantined. */
const maxAttempts = 5
const retryDelayMs = backoff({ baseMs: 200, capMs: 5_000 })

/**
 * Takes a message to its end: every record has an outcome that is safely stored, and only then it is acknowledged.
 * @throws OutageError, SetupError, or whatever kept a step from being stored: then the message must come again.
 */
export const settleMessage = async (deps: MessageDeps, message: QueueMessage, deadline: AbortSignal): Promise<void> => {
  const notification = parseNotification(message.body)
  deps.metrics.received(message, notification.kind === 'records' ? notification.records.length : 1)
  const stopHeartbeat = startHeartbeat(deps, message)
  try {
    const settled = await settleAll(deps, message, notification, deadline)
    await deps.uploads.acknowledge(message)
    deps.metrics.settled(message, settled)
  } finally {
    await stopHeartbeat()
  }
}

/** The outcomes of all records; what is quarantined of them is stored last, and together. */
const settleAll = async (
  deps: MessageDeps,
  message: QueueMessage,
  notification: Notification,
  deadline: AbortSignal,
): Promise<Settled[]> => {
  const settled: Settled[] = []
  const unsettled: (Settled & Unsettled)[] = []
  const note = (one: Settled, raw: unknown) => {
    settled.push(one)
    if (one.outcome === 'quarantined') unsettled.push({ detail: '', ...one, raw })
    else tell(deps, message, one)
  }
  switch (notification.kind) {
    case 'records':
      for (const read of notification.records) note(await settleOne(deps, read, deadline), read.raw)
      break
    case 'test':
      note({ outcome: 'ignored', key: '', reason: 'test_event' }, undefined)
      break
    case 'unreadable':
      note(quarantined('', 'unreadable', notification.reason), undefined)
      break
    default:
      notification satisfies never
  }
  const [first] = unsettled
  if (first) {
    await storeQuarantine(deps.quarantine, message, unsettled)
    tell(deps, message, first, { detail: describeReasons(unsettled), records: unsettled.length })
  }
  return settled
}

const settleOne = async (deps: MessageDeps, read: ReadRecord, deadline: AbortSignal): Promise<Settled> => {
  if (!read.ok) return quarantined('', 'unreadable', read.reason)
  const attempt = (attempts: number) => {
    if (attempts > 0) deps.metrics.retried()
    return settleRecord(deps, read.record, deadline)
  }
  try {
    return await retrying(attempt, {
      attempts: maxAttempts,
      delayMs: retryDelayMs,
      signal: deadline,
      isFinal: (error) => deadline.aborted || isNotItsOwn(error),
    })
  } catch (error) {
    if (deadline.aborted || isNotItsOwn(error)) throw error
    const last = messageOf(error)
    return quarantined(read.record.key, 'failed', `it failed ${maxAttempts} times, at last with: ${last}`)
  }
}

/** Failures that no message causes. */
const isNotItsOwn = (error: unknown) => error instanceof OutageError || error instanceof SetupError

const tell = ({ log }: MessageDeps, message: QueueMessage, settled: Settled, more: object = {}) => {
  const { outcome, key, reason, eventId, traceparent } = settled
  const level = outcome === 'quarantined' ? 'warn' : 'info'
  const ids = { event_id: eventId, message_id: message.id, trace_id: traceIdOf(traceparent) }
  log[level]({ outcome, key, reason, ...more, ...ids }, `notification ${outcome}`)
}
