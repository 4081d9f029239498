import type { VisionJob } from '#shared/domain/jobs.ts'
import { RefusalError } from '#shared/ports/failures.ts'
import type { JobQueue } from '#shared/ports/job-queue.ts'

import { openFaults, type Faults } from './faults.ts'

export type FakeJobQueue = {
  queue: JobQueue
  faults: Faults
  /** What was stored, in order. */
  readonly jobs: readonly VisionJob[]
  /** Moves the queue's clock. */
  pass: (seconds: number) => void
}

const windowMs = 5 * 60_000

/** A queue of jobs in memory that knows a job again for 5 minutes. */
export const fakeJobQueue = (): FakeJobQueue => {
  const jobs: VisionJob[] = []
  const acceptedAtMs = new Map<string, number>()
  const faults = openFaults()
  let nowMs = 0
  const queue: JobQueue = {
    send: async (job) => {
      await faults.strike('send')
      if (JSON.stringify(job).length > 1_048_576) throw new RefusalError('the job is too large')
      const accepted = acceptedAtMs.get(job.job_id)
      if (accepted !== undefined && nowMs - accepted < windowMs) return
      acceptedAtMs.set(job.job_id, nowMs)
      jobs.push(job)
    },
    ping: () => faults.strike('ping'),
  }
  return { queue, faults, jobs, pass: (seconds) => void (nowMs += seconds * 1000) }
}
