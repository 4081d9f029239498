import { given } from '#shared/domain/given.ts'
import { redriveCountName } from '#shared/domain/redrive.ts'
import { OutageError, SetupError } from '#shared/ports/failures.ts'
import type { MessageQueue, QueueMessage } from '#shared/ports/message-queue.ts'
import { backoff, retrying } from '#shared/runtime/backoff.ts'
import type { Log } from '#shared/runtime/log.ts'

import type { WatcherMetrics } from './metrics.ts'
import { parseNotification, type ReadRecord } from './notification.ts'
import { settleRecord, type SettleDeps, type Settled } from './settle.ts'

export type MessageDeps = SettleDeps & {
  uploads: MessageQueue
  quarantine: MessageQueue
  log: Log
  metrics: WatcherMetrics
  /** How long a message stays hidden; a heartbeat renews it while the message is in hand. */
  visibilitySeconds: number
}

/** A record's own failures before it is quarantined. */
const maxAttempts = 5
const retryDelayMs = backoff({ baseMs: 200, capMs: 5_000 })

/**
 * Takes a message to its end: every record has an outcome that is safely stored, and only then it is acknowledged.
 * @throws OutageError, SetupError, or whatever kept a step from being stored: then the message must come again.
 */
export const settleMessage = async (deps: MessageDeps, message: QueueMessage, deadline: AbortSignal): Promise<void> => {
  const stopHeartbeat = startHeartbeat(deps, message)
  try {
    const notification = parseNotification(message.body)
    if (notification.kind === 'records') {
      for (const read of notification.records) note(deps, message, await settleOne(deps, message, read, deadline))
    } else if (notification.kind === 'test') {
      note(deps, message, { outcome: 'ignored', key: '', reason: 'test_event' })
    } else {
      note(deps, message, await storeQuarantine(deps, message, message.body, '', notification.reason))
    }
    await deps.uploads.acknowledge(message)
  } finally {
    await stopHeartbeat()
  }
}

const settleOne = async (
  deps: MessageDeps,
  message: QueueMessage,
  read: ReadRecord,
  deadline: AbortSignal,
): Promise<Settled> => {
  const raw = () => writeRecord(read.raw) ?? message.body
  if (!read.ok) return storeQuarantine(deps, message, raw(), '', read.reason)
  try {
    const settled = await retrying(() => settleRecord(deps, read.record, deadline), {
      attempts: maxAttempts,
      delayMs: retryDelayMs,
      signal: deadline,
      isFinal: (error) => deadline.aborted || isNotItsOwn(error),
    })
    if (settled.outcome !== 'quarantined') return settled
    return await storeQuarantine(deps, message, raw(), settled.key, settled.reason ?? '')
  } catch (error) {
    if (deadline.aborted || isNotItsOwn(error)) throw error
    const reason = `it failed ${maxAttempts} times, at last with: ${error instanceof Error ? error.message : String(error)}`
    return storeQuarantine(deps, message, raw(), read.record.key, reason)
  }
}

/**
 * A record's raw form as a message. Undefined when it is nested more deeply than JSON.stringify can follow: it may
 * recurse where JSON.parse does not. Of the characters that SQS refuses it escapes all but two.
 */
const writeRecord = (raw: unknown): string | undefined => {
  try {
    return JSON.stringify(raw).replaceAll('\ufffe', '\\ufffe').replaceAll('\uffff', '\\uffff')
  } catch {
    return undefined
  }
}

/** Failures that no message causes. */
const isNotItsOwn = (error: unknown) => error instanceof OutageError || error instanceof SetupError

/** SQS attributes are strings without control characters, and count towards the message's size. */
const attributeText = (text: string) => text.replace(/[^\x20-\x7e]/g, '?').slice(0, 1000)

const storeQuarantine = async (
  deps: MessageDeps,
  message: QueueMessage,
  body: string,
  key: string,
  reason: string,
): Promise<Settled> => {
  const attributes = {
    reason: attributeText(reason),
    'source-message-id': message.id,
    // Without it a message could go round between quarantine and redrive for ever.
    ...given({ [redriveCountName]: message.attributes[redriveCountName] }),
  }
  await deps.quarantine.send({ body, attributes })
  return { outcome: 'quarantined', key, reason }
}

const note = ({ log, metrics }: MessageDeps, message: QueueMessage, settled: Settled) => {
  const { outcome, key, reason, eventId } = settled
  // What a quarantine says is a text of its own each time.
  metrics.settled(outcome, outcome === 'quarantined' ? '' : (reason ?? ''))
  const level = outcome === 'quarantined' ? 'warn' : 'info'
  log[level]({ outcome, key, reason, event_id: eventId, message_id: message.id }, `notification ${outcome}`)
}

/**
 * Renews the message's hiding until stopped; a beat that fails is no more than a risk of a repeat. Stopping waits for
 * the beat that is under way: it must not land after a release.
 */
const startHeartbeat = ({ uploads, log, visibilitySeconds }: MessageDeps, message: QueueMessage) => {
  let lastBeat = Promise.resolve()
  const beat = () => {
    lastBeat = uploads.extend(message, visibilitySeconds).catch((error: unknown) => {
      log.warn({ err: error, message_id: message.id }, 'could not keep a message hidden')
    })
  }
  const timer = setInterval(beat, (visibilitySeconds * 1000) / 3)
  return () => {
    clearInterval(timer)
    return lastBeat
  }
}
