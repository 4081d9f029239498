/** How the handling of one record of an event log ended. `retry` counts as the record's own failure. */
export type RecordOutcome = { kind: 'done' } | { kind: 'retry'; reason: string } | { kind: 'reject'; reason: string }

export const done: RecordOutcome = { kind: 'done' }
export const retry = (reason: string): RecordOutcome => ({ kind: 'retry', reason })
export const reject = (reason: string): RecordOutcome => ({ kind: 'reject', reason })

/** How one record of a notification ended; all are final. */
export const notificationOutcomes = ['uploaded', 'rejected', 'deleted', 'ignored', 'gone', 'quarantined'] as const
export type NotificationOutcome = (typeof notificationOutcomes)[number]
