import type { DatabaseSync } from 'node:sqlite'

import type { NewRecord } from '#shared/ports/event-log.ts'
import { RefusalError } from '#shared/ports/failures.ts'
import { group } from '#shared/runtime/group.ts'

import { inTransaction } from './database.ts'
import { whileBusy } from './failures.ts'
import type { RecordStore } from './records.ts'
import type { TopicStore } from './topics.ts'

/** A broker's usual limit (Kafka's message.max.bytes), so that what fits here fits there. */
export const maxRecordBytes = 1_048_576

type Append = readonly NewRecord[]

/** Appends; those that are under way at once share one transaction, and so one wait for the disk. */
export const openAppender = (options: {
  database: DatabaseSync
  path: string
  topics: TopicStore
  records: RecordStore
  now: () => Date
}): ((records: Append) => Promise<void>) => {
  const { database, path, topics, records, now } = options

  const settle = (append: Append): PromiseSettledResult<undefined> => {
    try {
      const found = new Map(
        topics.find([...new Set(append.map(({ topic }) => topic))]).map((topic) => [topic.name, topic]),
      )
      for (const record of append) {
        const topic = found.get(record.topic)
        if (topic) records.insert(topic, record, now())
      }
      return { status: 'fulfilled', value: undefined }
    } catch (error) {
      // Its own fault is its own result; what the database throws concerns all of the transaction.
      if (error instanceof Error && 'errcode' in error) throw error
      return { status: 'rejected', reason: error }
    }
  }
  const write = (appends: readonly Append[]) => inTransaction(database, () => appends.map(settle))
  const send = group<Append, undefined>({
    send: (appends) => whileBusy(() => write(appends), path),
    maxItems: 1_000,
  })

  return async (records) => {
    for (const record of records) checkSize(record)
    if (records.length > 0) await send(records)
  }
}

const checkSize = ({ topic, key, value }: NewRecord): void => {
  const bytes = Buffer.byteLength(key) + Buffer.byteLength(value)
  if (bytes > maxRecordBytes)
    throw new RefusalError(`A record of ${bytes} bytes for ${topic} is over the limit of ${maxRecordBytes} bytes.`)
}
