import { announceDispatch } from '#shared/domain/announce.ts'
import { planDispatch, type DispatchPlan } from '#shared/domain/dispatch.ts'
import { eventRecord, readImageUploadedSchema } from '#shared/domain/events.ts'
import type { JobRef } from '#shared/domain/job-refs.ts'
import type { VisionJob } from '#shared/domain/jobs.ts'
import type { DispatchOutcome } from '#shared/domain/outcomes.ts'
import { queueNames } from '#shared/domain/resources.ts'
import type { LogRecord } from '#shared/ports/event-log.ts'
import type { JobState } from '#shared/ports/job-ledger.ts'
import { messaging, traced, traceWork, withTrace } from '#shared/runtime/tracing.ts'

import type { RecentIds } from './recent-ids.ts'
import { placeOf, readEvent } from './read-event.ts'
import type { Settle, SettleDeps } from './settled.ts'

type Due = Extract<DispatchPlan, { kind: 'due' }>

/** How far a record has come that an outage holds up: what is done is not done again while the process lives. */
type Progress = { accepted?: { job: VisionJob; at: Date }; isAnnounced?: true }

/**
 * Settles image.uploaded: an image whose purpose asks for it becomes one job. The job is sent, then announced, then entered
 * into the ledger; the log moves its offset only after that, so that a crash in between repeats under the same ids.
 */
export const openDispatch = (deps: SettleDeps, cancelled: RecentIds): Settle<DispatchOutcome> => {
  const progresses = new WeakMap<LogRecord, Progress>()

  const progressOf = (record: LogRecord): Progress => {
    const progress = progresses.get(record) ?? {}
    progresses.set(record, progress)
    return progress
  }

  return async (record, signal) => {
    const read = readEvent(readImageUploadedSchema, record)
    if (!read.ok) return { outcome: 'rejected', reason: read.problem }
    const { event } = read
    const { key } = event.data
    const plan = planDispatch(event, { purposes: deps.purposes, now: deps.now() })
    switch (plan.kind) {
      case 'rejected':
        return { outcome: 'rejected', reason: plan.reason }
      case 'passed':
      case 'expired':
        return { outcome: plan.kind, key, eventId: event.id, traceparent: event.traceparent }
      case 'due': {
        const mustLook = !plan.isRecent || cancelled.has(plan.ref.jobId)
        const progress = progressOf(record)
        const attributes = messaging.process('kafka', record.topic, key)
        const work = traceWork(`process ${record.topic}`, { kind: 'consumer', parent: event.traceparent, attributes })
        const due = { ...plan, job: withTrace(plan.job, work) }
        const outcome = await traced(work, () =>
          sendOnce(deps, due, { mustLook, progress, by: placeOf(record), signal }),
        )
        const delayMs = progress.accepted && progress.accepted.at.getTime() - Date.parse(event.data.uploaded_at)
        const about = { key, jobId: plan.job.job_id, eventId: event.id, traceparent: work.traceparent }
        return { outcome, ...about, ...(outcome === 'dispatched' && delayMs !== undefined && { delayMs }) }
      }
      default:
        return plan satisfies never
    }
  }
}

/** A process may be frozen for any time: what the ledger said so long ago is asked again before it is acted on. */
const freshMs = 60_000

const findFresh = async (
  { ledger, now }: Pick<SettleDeps, 'ledger' | 'now'>,
  ref: JobRef,
  signal: AbortSignal,
): Promise<JobState> => {
  const askedAt = now().getTime()
  const state = await ledger.find(ref, { signal })
  return now().getTime() - askedAt < freshMs ? state : findFresh({ ledger, now }, ref, signal)
}

const sendOnce = async (
  deps: SettleDeps,
  { job, ref }: Due,
  { mustLook, progress, by, signal }: { mustLook: boolean; progress: Progress; by: string; signal: AbortSignal },
): Promise<DispatchOutcome> => {
  const { jobs, ledger, events, now } = deps
  if (!progress.accepted) {
    if (mustLook) {
      const { isCancelled, isDispatched } = await findFresh(deps, ref, signal)
      if (isCancelled) return 'cancelled'
      if (isDispatched) return 'already_dispatched'
    }
    progress.accepted = { job: await send(jobs, job), at: now() }
  }
  const accepted = progress.accepted
  if (!progress.isAnnounced) {
    await events.append([eventRecord(announceDispatch(accepted.job))])
    progress.isAnnounced = true
  }
  const entry = await ledger.enter(ref, { key: job.key, eventId: job.event_id, by, at: accepted.at })
  return entry === 'entered' ? 'dispatched' : 'already_dispatched'
}

/** Gives the job as it was sent. */
const send = (jobs: SettleDeps['jobs'], job: VisionJob): Promise<VisionJob> => {
  const attributes = messaging.send(queueNames.jobs, job.job_id)
  const work = traceWork(`send ${queueNames.jobs}`, { kind: 'producer', parent: job.traceparent, attributes })
  const sent = withTrace(job, work)
  return traced(work, async () => {
    await jobs.send(sent)
    return sent
  })
}
