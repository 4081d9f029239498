import { announceDispatch } from '#shared/domain/announce.ts'
import { eventRecord, imageUploadedSchema, type ImageUploaded } from '#shared/domain/events.ts'
import { planJob } from '#shared/domain/jobs.ts'
import { done, reject, type RecordOutcome } from '#shared/domain/outcomes.ts'
import type { EventLog, LogRecord, RecordHandler } from '#shared/ports/event-log.ts'
import { OutageError } from '#shared/ports/failures.ts'
import type { JobQueue } from '#shared/ports/job-queue.ts'
import type { Log } from '#shared/runtime/log.ts'

import type { DispatcherMetrics } from './metrics.ts'

export type DispatchDeps = {
  jobs: JobQueue
  events: Pick<EventLog, 'append'>
  log: Log
  metrics: DispatcherMetrics
  /** Told of every service that is away, for readiness; the record waits by itself. */
  shut: (service: string, reason: unknown) => void
  now: () => Date
}

/**
 * Handles one image.uploaded: a scan becomes one job, other purposes none. The job is sent first, then announced; the
 * log moves its offset only after both, so that a crash between them repeats under the same ids.
 */
export const dispatchScan =
  (deps: DispatchDeps): RecordHandler =>
  async (record) => {
    const event = readEvent(record)
    if (!event.ok) return reject(event.problem)
    try {
      return await dispatch(deps, event.value)
    } catch (error) {
      if (error instanceof OutageError) {
        deps.metrics.waited()
        deps.shut(error.service, error)
      }
      throw error
    }
  }

const dispatch = async (deps: DispatchDeps, event: ImageUploaded): Promise<RecordOutcome> => {
  const { jobs, events, log, metrics, now } = deps
  const job = planJob(event, now())
  if (!job) {
    metrics.settled('passed')
    return done
  }
  await jobs.send(job)
  await events.append([eventRecord(announceDispatch(job))])
  metrics.settled('dispatched')
  log.info({ outcome: 'dispatched', key: job.key, job_id: job.job_id, event_id: event.id }, 'scan dispatched')
  return done
}

const readEvent = ({ value }: LogRecord): { ok: true; value: ImageUploaded } | { ok: false; problem: string } => {
  try {
    const parsed = imageUploadedSchema.safeParse(JSON.parse(value))
    if (parsed.success) return { ok: true, value: parsed.data }
    const issues = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
    return { ok: false, problem: `the record is no image.uploaded event: ${issues.join('; ').slice(0, 500)}` }
  } catch {
    return { ok: false, problem: 'the record is not JSON' }
  }
}
