import { jobId } from './ids.ts'
import type { KeyFacts } from './keys.ts'

/** Names a job where states are kept: by its id and the day that stands in its image's key. */
export type JobRef = {
  /** 32 hex digits. */
  jobId: string
  /** yyyymmdd, UTC. */
  date: string
}

/** The job of an image; undefined where the purpose's keys carry no date, and so no job could be kept apart by day. */
export const refJob = (bucket: string, { key, date }: KeyFacts): JobRef | undefined =>
  date === undefined ? undefined : { jobId: jobId(bucket, key), date }

/**
 * Where the state bucket keeps what is known of a job, an object each. The dispatcher writes the first two, the worker the
 * others (docs/delivery.md).
 */
export const jobKeys = ({ date, jobId }: JobRef) => {
  const entry = `jobs/${date}/${jobId}`
  return { entry, cancelled: `${entry}.cancelled`, claimed: `${entry}.claimed`, result: `${entry}.result` }
}
