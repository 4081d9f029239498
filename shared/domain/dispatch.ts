import { dispatchPolicies, dispatchPurposeNames, findMisfit, type DispatchPurpose } from './dispatch-policy.ts'
import type { ReadImageDeleted, ReadImageUploaded } from './events.ts'
import { refJob, type JobRef } from './job-refs.ts'
import { planJob, type VisionJob } from './jobs.ts'
import { parseKey, type KeyFacts } from './keys.ts'
import { dayMs, purposeRules, type Purpose } from './purposes.ts'

/** What the dispatcher does with an image.uploaded, by the event alone. */
export type DispatchPlan =
  | { kind: 'rejected'; reason: string }
  | { kind: 'passed'; why: 'purpose' | 'size' | 'pixels' }
  | { kind: 'expired' }
  | {
      kind: 'due'
      job: VisionJob
      ref: JobRef
      /** Whoever sent this job before did so at most `recentMs` ago: the queue itself drops a repeat. */
      isRecent: boolean
    }

export type CancelPlan =
  | { kind: 'rejected'; reason: string }
  | { kind: 'passed'; why: 'purpose' | 'cause' }
  | { kind: 'expired' }
  | { kind: 'due'; ref: JobRef }

export type DispatchRules = {
  /** Whose images get jobs. */
  purposes: readonly Purpose[]
  now: Date
}

/**
 * Events that are younger are sent without asking the ledger. The queue drops repeats for 5 minutes after it accepted a
 * job, and the job leaves within 30 s of being asked for (shared/ports/job-queue.ts): half a minute is left for clocks.
 */
export const recentMs = 240_000
/** An event that is further ahead of our clock says nothing of its age. */
const aheadMs = 60_000

export const planDispatch = (event: ReadImageUploaded, { purposes, now }: DispatchRules): DispatchPlan => {
  const { data } = event
  const purpose = findPurpose(data.purpose, purposes)
  if (!purpose) return { kind: 'passed', why: 'purpose' }
  const read = readImage(data)
  if (!read.ok) return { kind: 'rejected', reason: read.problem }
  const misfit = findMisfit(dispatchPolicies[purpose], data)
  if (misfit) return { kind: 'passed', why: misfit }
  // Ours are the same; of an event that was written elsewhere the older one holds, which is the safe side.
  const uploadedMs = Math.min(Date.parse(data.uploaded_at), Date.parse(event.time))
  if (isExpired(read.facts, now, uploadedMs)) return { kind: 'expired' }
  const { ref } = read
  if (data.job_id !== undefined && data.job_id !== ref.jobId)
    return { kind: 'rejected', reason: `the event names the job ${data.job_id}, but its scan's is ${ref.jobId}` }
  const ageMs = now.getTime() - uploadedMs
  return { kind: 'due', job: planJob(event, ref, now), ref, isRecent: ageMs < recentMs && ageMs > -aheadMs }
}

/** What the dispatcher does with an image.deleted: a job is cancelled only when somebody wanted its image to go. */
export const planCancel = ({ data }: ReadImageDeleted, { purposes, now }: DispatchRules): CancelPlan => {
  if (data.cause !== 'deleted') return { kind: 'passed', why: 'cause' }
  if (!findPurpose(data.purpose, purposes)) return { kind: 'passed', why: 'purpose' }
  const read = readImage(data)
  if (!read.ok) return { kind: 'rejected', reason: read.problem }
  return isExpired(read.facts, now) ? { kind: 'expired' } : { kind: 'due', ref: read.ref }
}

const findPurpose = (purpose: string, wanted: readonly Purpose[]): DispatchPurpose | undefined =>
  dispatchPurposeNames.find((name) => name === purpose && wanted.includes(name))

type ReadImage = { ok: true; facts: KeyFacts; ref: JobRef } | { ok: false; problem: string }

const readImage = ({ bucket, key, purpose }: { bucket: string; key: string; purpose: string }): ReadImage => {
  const about = `the event's key ${JSON.stringify(key.slice(0, 200))}`
  const parsed = parseKey(key)
  if (!parsed.ok) return { ok: false, problem: `${about} is not ours: ${parsed.problem}` }
  const ref = refJob(bucket, parsed.facts)
  if (parsed.facts.purpose !== purpose || !ref) return { ok: false, problem: `${about} is that of no ${purpose}` }
  return { ok: true, facts: parsed.facts, ref }
}

/**
 * Whether an image is older than its purpose is kept. Then the ledger may have forgotten its job, which lives a day longer
 * than the image. A ticket of the key's day may be used up to its end, and a little later.
 */
const isExpired = ({ purpose, date }: KeyFacts, now: Date, uploadedMs = Infinity): boolean => {
  const { keptDays } = purposeRules(purpose)
  if (keptDays === undefined) return false
  const since = Math.min(endOfDay(date), uploadedMs)
  return now.getTime() > since + keptDays * dayMs
}

const endOfDay = (date = '') => Date.parse(`${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}T00:00:00Z`) + dayMs
