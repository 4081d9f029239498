import type { BatchResultErrorEntry } from '@aws-sdk/client-sqs'

import { OutageError, RefusalError } from '#shared/ports/failures.ts'

/**
 * SQS answers a batch with 200 also when entries failed: each entry, named by its index, settles by itself. An entry
 * that is named in neither list counts as failed, and so does one in both.
 */
export const settleBatch = (
  size: number,
  answer: {
    Successful?: readonly { Id?: string | undefined }[] | undefined
    Failed?: readonly BatchResultErrorEntry[] | undefined
  },
): PromiseSettledResult<undefined>[] => {
  const succeeded = new Set(answer.Successful?.map(({ Id }) => Id))
  const failed = new Map(answer.Failed?.map((entry) => [entry.Id, entry]))
  return Array.from({ length: size }, (_, index) => {
    const id = String(index)
    if (succeeded.has(id) && !failed.has(id)) return { status: 'fulfilled', value: undefined }
    return { status: 'rejected', reason: entryFailure(failed.get(id)) }
  })
}

const entryFailure = (entry: BatchResultErrorEntry | undefined) => {
  if (!entry) return new OutageError('SQS', 'the answer to a batch leaves an entry out')
  const detail = `${entry.Code ?? ''} ${entry.Message ?? ''}`.trim()
  return entry.SenderFault ? new RefusalError(`SQS: ${detail}`) : new OutageError('SQS', detail)
}
