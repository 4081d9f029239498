import type { Place } from '#shared/domain/announce.ts'
import { eventRecord, type ImageDeleted, type ImageRejected, type ImageUploaded } from '#shared/domain/events.ts'
import type { NotificationOutcome } from '#shared/domain/outcomes.ts'
import type { EventLog } from '#shared/ports/event-log.ts'
import type { ObjectStore } from '#shared/ports/object-store.ts'
import { messaging, traced, traceWork, withTrace } from '#shared/runtime/tracing.ts'

import type { WatcherMetrics } from './metrics.ts'
import type { Origin } from './origin.ts'

/** What became of one record. Whoever gets it may forget the record, unless it is to be quarantined. */
export type Settled = {
  outcome: NotificationOutcome
  /** Of a rejection, a quarantine or what was ignored. One of few words: it is the label of a metric. */
  reason?: string
  /** Of a quarantine: the reason as a sentence. */
  detail?: string
  key: string
  eventId?: string
  /** Of the upload, when it is known. */
  traceparent?: string | undefined
}

export type SettleDeps = {
  images: ObjectStore
  states: ObjectStore
  events: EventLog
  place: Place
  origin: Origin
  /** What becomes of an object that was rejected. */
  rejectedAction: RejectedAction
  metrics: Pick<WatcherMetrics, 'published'>
}

export type RejectedAction = 'keep' | 'delete'

/**
 * `unreadable`: it is no notification, or not all of one. `foreign`: it is of another bucket, region or account.
 * `strange_key`: the object's key is none of ours. `failed`: it failed by itself too often.
 */
export const quarantineReasons = ['unreadable', 'foreign', 'strange_key', 'failed'] as const
export type QuarantineReason = (typeof quarantineReasons)[number]

/** To be quarantined: whoever gets it has yet to store it. The key may be anything, and of any length. */
export const quarantined = (key: string, reason: QuarantineReason, detail: string): Settled => ({
  outcome: 'quarantined',
  key: key.slice(0, 1024),
  reason,
  detail,
})

/** Puts an event into the log; `eventTime` is when S3 says that it happened. */
export const publish = (
  { events, metrics }: Pick<SettleDeps, 'events' | 'metrics'>,
  event: ImageUploaded | ImageRejected | ImageDeleted,
  eventTime: Date | undefined,
): Promise<void> => {
  const { type, id, traceparent: parent } = event
  const work = traceWork(`publish ${type}`, { kind: 'producer', parent, attributes: messaging.publish(type, id) })
  return traced(work, async () => {
    await events.append([eventRecord(withTrace(event, work))])
    metrics.published(eventTime)
  })
}
