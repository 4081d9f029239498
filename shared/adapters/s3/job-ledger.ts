import type { S3Client } from '@aws-sdk/client-s3'

import { jobKeys, type JobRef } from '#shared/domain/job-refs.ts'
import { RefusalError, SetupError } from '#shared/ports/failures.ts'
import type { JobLedger, LedgerNote } from '#shared/ports/job-ledger.ts'

import { s3ObjectStore } from './object-store.ts'

/** Whether an object is there is all that a look asks. */
const lookBytes = 1

/** An object of the state bucket for each fact about a job. */
export const s3JobLedger = ({ client, bucket }: { client: S3Client; bucket: string }): JobLedger => {
  const states = s3ObjectStore({ client, bucket })

  const isThere = async (key: string, options?: { signal?: AbortSignal }) =>
    (await states.readStart(key, lookBytes, options).catch(explain)) !== undefined

  const create = (key: string, body: string) =>
    states.create({ key, body, contentType: 'application/json' }).catch(explain)

  /** What is there may be what we wrote: an answer can be lost. */
  const isOwn = async (key: string, body: string) => {
    const wanted = Buffer.from(body)
    const found = await states.readStart(key, wanted.length + 1).catch(explain)
    return found !== undefined && wanted.equals(found.bytes)
  }

  return {
    find: async (ref, options) => {
      const { entry, cancelled } = jobKeys(ref)
      const [isDispatched, isCancelled] = await Promise.all([isThere(entry, options), isThere(cancelled, options)])
      return { isDispatched, isCancelled }
    },
    enter: async (ref, note) => {
      const { entry } = jobKeys(ref)
      const body = writeNote(ref, note)
      return (await create(entry, body)) === 'created' || (await isOwn(entry, body)) ? 'entered' : 'known'
    },
    cancel: async (ref, note) => {
      await create(jobKeys(ref).cancelled, writeNote(ref, note))
    },
    ping: states.ping,
  }
}

const writeNote = ({ jobId }: JobRef, { key, eventId, by, at }: LedgerNote) =>
  JSON.stringify({ job_id: jobId, key, event_id: eventId, by, at: at.toISOString() })

/** The keys are our own, so what the store refuses is no job's fault. A missing object is a 403 without s3:ListBucket. */
const explain = (error: unknown): never => {
  if (!(error instanceof RefusalError)) throw error
  throw new SetupError(
    `The ledger can't be used; it needs s3:GetObject, s3:PutObject and s3:ListBucket: ${error.message}`,
    {
      cause: error,
    },
  )
}
