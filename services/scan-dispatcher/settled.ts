import type { Purpose } from '#shared/domain/purposes.ts'
import type { EventLog, LogRecord } from '#shared/ports/event-log.ts'
import type { JobLedger } from '#shared/ports/job-ledger.ts'
import type { JobQueue } from '#shared/ports/job-queue.ts'

/** What became of one record. `rejected`: it can't be read, and goes to the dead letters. */
export type Settled<Outcome> =
  | {
      outcome: Outcome
      key: string
      jobId?: string
      eventId: string
      traceparent?: string | undefined
      /** From the upload until the queue had its job. */
      delayMs?: number
    }
  | { outcome: 'rejected'; reason: string }

export type SettleDeps = {
  jobs: JobQueue
  ledger: JobLedger
  events: Pick<EventLog, 'append'>
  purposes: readonly Purpose[]
  now: () => Date
}

/** Takes one record to its outcome. Throws when a step fails; a repeat gives the same ids. */
export type Settle<Outcome> = (record: LogRecord, signal: AbortSignal) => Promise<Settled<Outcome>>
