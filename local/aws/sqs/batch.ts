import { AwsError } from '../errors.ts'
import { queryCode, sqsError } from './errors.ts'

export type BatchFailure = { Id: string; SenderFault: true; Code: string; Message: string }
export type BatchResult<Success> = { Successful: ({ Id: string } & Success)[]; Failed?: BatchFailure[] }

const maxEntries = 10

/**
 * Does `work` for each entry; an entry that is refused stands in `Failed` and the others go on.
 * @throws AwsError when the batch as a whole is not one
 */
export const runBatch = <Entry extends { Id: string }, Success extends object>(
  entries: readonly Entry[],
  work: (entry: Entry) => Success,
): BatchResult<Success> => {
  checkBatch(entries)
  const successful: ({ Id: string } & Success)[] = []
  const failed: BatchFailure[] = []
  for (const entry of entries) {
    try {
      successful.push({ Id: entry.Id, ...work(entry) })
    } catch (error) {
      if (!(error instanceof AwsError)) throw error
      failed.push({ Id: entry.Id, SenderFault: true, Code: queryCode(error.code), Message: error.message })
    }
  }
  return failed.length === 0 ? { Successful: successful } : { Successful: successful, Failed: failed }
}

const checkBatch = (entries: readonly { Id: string }[]): void => {
  const ids = entries.map(({ Id }) => Id)
  if (ids.length === 0) throw sqsError('EmptyBatchRequest', 'There should be at least one entry in the request.')
  if (ids.length > maxEntries)
    throw sqsError(
      'TooManyEntriesInBatchRequest',
      `Maximum number of entries per request are ${maxEntries}. You have sent ${ids.length}.`,
    )
  const invalid = ids.find((id) => !/^[\w-]{1,80}$/.test(id))
  if (invalid !== undefined)
    throw sqsError(
      'InvalidBatchEntryId',
      'A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.',
    )
  const repeated = ids.find((id, index) => ids.indexOf(id) !== index)
  if (repeated !== undefined) throw sqsError('BatchEntryIdsNotDistinct', `Id ${repeated} repeated.`)
}
