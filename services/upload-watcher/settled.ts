import type { Place } from '#shared/domain/announce.ts'
import type { NotificationOutcome } from '#shared/domain/outcomes.ts'
import type { EventLog } from '#shared/ports/event-log.ts'
import type { ObjectStore } from '#shared/ports/object-store.ts'

import type { Origin } from './origin.ts'

/** What became of one record. Whoever gets it may forget the record: all that follows from it is stored. */
export type Settled = {
  outcome: NotificationOutcome
  /** Of a rejection, a quarantine or what was ignored. One of few words, but of a quarantine a sentence. */
  reason?: string
  key: string
  eventId?: string
}

export type SettleDeps = {
  images: ObjectStore
  states: ObjectStore
  events: EventLog
  place: Place
  origin: Origin
  /** What becomes of an object that was rejected. */
  rejectedAction: RejectedAction
}

export type RejectedAction = 'keep' | 'delete'
