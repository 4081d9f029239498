/** How the handling of one record of an event log ended. `retry` counts as the record's own failure. */
export type RecordOutcome = { kind: 'done' } | { kind: 'retry'; reason: string } | { kind: 'reject'; reason: string }

export const done: RecordOutcome = { kind: 'done' }
export const retry = (reason: string): RecordOutcome => ({ kind: 'retry', reason })
export const reject = (reason: string): RecordOutcome => ({ kind: 'reject', reason })

/** How one record of a notification ended; all are final. */
export const notificationOutcomes = ['uploaded', 'rejected', 'deleted', 'ignored', 'gone', 'quarantined'] as const
export type NotificationOutcome = (typeof notificationOutcomes)[number]

/**
 * How an image.uploaded ended for the dispatcher. `already_dispatched`: the ledger knew the job; `cancelled`: its image was
 * deleted; `expired`: older than its purpose is kept; `passed`: no job is wanted of it.
 */
export const dispatchOutcomes = ['dispatched', 'already_dispatched', 'cancelled', 'expired', 'passed'] as const
export type DispatchOutcome = (typeof dispatchOutcomes)[number]

/** How an image.deleted ended for the dispatcher. `cancelled`: no worker that has not begun its job will. */
export const cancelOutcomes = ['cancelled', 'expired', 'passed'] as const
export type CancelOutcome = (typeof cancelOutcomes)[number]

/** How either ended when it could not be read, or failed five times by itself. */
export type DeadLettered = 'dead_lettered'
