import type { JobRef } from '#shared/domain/job-refs.ts'

/** What is known of a job. */
export type JobState = { isDispatched: boolean; isCancelled: boolean }

/** What is written of a job, for people and to know one's own entry again. `by`: the record that asked for it. */
export type LedgerNote = { key: string; eventId: string; by: string; at: Date }

/**
 * What became of jobs, for longer than the queue remembers: until a day after their images are gone. Promises that an
 * adapter keeps (test/contract/job-ledger.ts):
 * - `enter` tells whether it was the first: of many at once one is. Who repeats it with an equal note, as when the answer was
 *   lost, is told the same again.
 * - What was written is read by everyone from then on, whatever order things were written in.
 * - A repeat changes nothing.
 *
 * All methods throw OutageError when the ledger is away, SetupError when it does not exist or may not be used.
 */
export type JobLedger = {
  find: (ref: JobRef, options?: { signal?: AbortSignal }) => Promise<JobState>
  /** Notes that the queue has accepted the job. */
  enter: (ref: JobRef, note: LedgerNote) => Promise<'entered' | 'known'>
  /** Notes that the job is not to be run. */
  cancel: (ref: JobRef, note: LedgerNote) => Promise<void>
  /** Resolves when the ledger answers. */
  ping: (signal?: AbortSignal) => Promise<void>
}
