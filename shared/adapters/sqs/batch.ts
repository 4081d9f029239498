import { z } from 'zod'

import { OutageError, RefusalError } from '#shared/ports/failures.ts'
import { pause } from '#shared/runtime/backoff.ts'

import { retryDelayMs } from '../aws/attempts.ts'

const answerSchema = z.object({
  Successful: z.array(z.object({ Id: z.string().optional() })).nullish(),
  Failed: z
    .array(
      z.object({
        Id: z.string().optional(),
        Code: z.string().nullish(),
        Message: z.string().nullish(),
        SenderFault: z.boolean().nullish(),
      }),
    )
    .nullish(),
})

type BatchAnswer = z.infer<typeof answerSchema>

/**
 * SQS answers a batch with 200 also when entries failed: each entry, named by its index, settles by itself. An entry
 * that is named in neither list counts as failed, and so does one in both.
 */
export const settleBatch = (size: number, answer: BatchAnswer): PromiseSettledResult<undefined>[] => {
  const succeeded = new Set(answer.Successful?.map(({ Id }) => Id))
  const failed = new Map(answer.Failed?.map((entry) => [entry.Id, entry]))
  return Array.from({ length: size }, (_, index) => {
    const id = String(index)
    if (succeeded.has(id) && !failed.has(id)) return { status: 'fulfilled', value: undefined }
    return { status: 'rejected', reason: entryFailure(failed.get(id)) }
  })
}

const entryFailure = (entry: NonNullable<BatchAnswer['Failed']>[number] | undefined) => {
  if (!entry) return new OutageError('SQS', 'the answer to a batch leaves an entry out')
  const detail = `${entry.Code ?? ''} ${entry.Message ?? ''}`.trim()
  return entry.SenderFault && !isOfAll(entry.Code ?? '')
    ? new RefusalError(`SQS: ${detail}`)
    : new OutageError('SQS', detail)
}

/**
 * Of an entry that was throttled, or that the key service did not encrypt, SQS says that its sender is at fault: but every
 * other entry would fare the same.
 */
const isOfAll = (code: string) => /Throttl|OverLimit|RequestLimitExceeded|^Kms|^KMS\.|AccessDenied/i.test(code)

/** Most entries and bytes of one batch, and of one message; the bytes since August 2025. */
export const batchLimits = { maxItems: 10, maxBytes: 1_048_576 } as const

export type Batch = {
  /** Resolves with the answer's JSON. */
  send: (entries: readonly object[]) => Promise<unknown>
  /** What a failed send means. */
  failure: (error: unknown) => Error
}

/**
 * Sends entries as one batch in which each settles by itself. A batch that is refused as a whole, as some refusals of one
 * entry are, is sent once more, entry by entry and in order, so that only the one at fault fails.
 * @throws when no entry was looked at
 */
export const sendBatch = async (
  entries: readonly object[],
  batch: Batch,
): Promise<PromiseSettledResult<undefined>[]> => {
  try {
    const answer = await batch.send(entries.map((entry, index) => ({ ...entry, Id: String(index) })))
    return settleBatch(entries.length, answerSchema.parse(answer))
  } catch (error) {
    const failure = batch.failure(error)
    if (entries.length < 2 || !(failure instanceof RefusalError)) throw failure
  }
  const results: PromiseSettledResult<undefined>[] = []
  for (const entry of entries) {
    const [alone] = await Promise.allSettled([sendBatch([entry], batch)])
    results.push(...(alone.status === 'fulfilled' ? alone.value : [alone]))
  }
  return results
}

/**
 * As `sendBatch`; entries that failed for the moment are sent once more. SQS fails on single entries while it serves the
 * others, which is no outage yet. Not for what must leave in time.
 */
export const sendBatchTwice = async (
  entries: readonly object[],
  batch: Batch,
): Promise<PromiseSettledResult<undefined>[]> => {
  const results = await sendBatch(entries, batch)
  const passing = [...results.keys()].filter((index) => isPassing(results[index]))
  if (passing.length === 0) return results
  await pause(retryDelayMs(0))
  const [again] = await Promise.allSettled([
    sendBatch(
      passing.flatMap((index) => entries[index] ?? []),
      batch,
    ),
  ])
  // Nobody answered this time: then the failures stand as they were.
  return again.status === 'rejected' ? results : results.map((one, index) => again.value[passing.indexOf(index)] ?? one)
}

const isPassing = (result: PromiseSettledResult<undefined> | undefined) =>
  result?.status === 'rejected' && result.reason instanceof OutageError
