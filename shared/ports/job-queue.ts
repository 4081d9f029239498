import type { VisionJob } from '#shared/domain/jobs.ts'

/**
 * Takes vision jobs. Promises that an adapter keeps (test/contract/job-queue.ts):
 * - `send` resolves only when the queue has stored the job, or knows it already: for 5 minutes after a job was accepted,
 *   a job with the same `job_id` is accepted again and adds nothing.
 * - Jobs of one group are handed out in the order in which they were sent.
 * - A job that has not left within `sendWithinMs` of the call never leaves: `send` rejects with OutageError.
 */
export type JobQueue = {
  /** @throws OutageError, RefusalError (the job is impossible), SetupError (no such queue) */
  send: (job: VisionJob) => Promise<void>
  /** Resolves when the queue answers. */
  ping: (signal?: AbortSignal) => Promise<void>
}

/** For so long the queue knows a job that it has accepted. */
export const remembersMs = 300_000
export const sendWithinMs = 30_000
