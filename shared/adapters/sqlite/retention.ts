import type { DatabaseSync } from 'node:sqlite'

import { inTransaction } from './database.ts'
import type { RecordStore } from './records.ts'
import type { TopicStore } from './topics.ts'

const dayMs = 86_400_000
const sweepEveryMs = 600_000
/** Bounds how long one sweep holds the event loop and the file's write lock; the rest goes with the next. */
const maxPerPartition = 200

/** Removes records older than their topic's retention, a few at a time; does nothing when called again too soon. */
export const openSweeper = (options: {
  database: DatabaseSync
  topics: TopicStore
  records: RecordStore
  now: () => Date
}): (() => void) => {
  const { database, topics, records, now } = options
  let dueAt = 0

  const sweep = (time: number): boolean => {
    let isDone = true
    for (const topic of topics.list())
      for (let partition = 0; partition < topic.partitions; partition++) {
        const before = time - topic.retentionDays * dayMs
        if (records.deleteOldest({ topic, partition }, before, maxPerPartition) === maxPerPartition) isDone = false
      }
    return isDone
  }
  return () => {
    const time = now().getTime()
    if (time < dueAt) return
    const isDone = inTransaction(database, () => sweep(time))
    if (isDone) dueAt = time + sweepEveryMs
  }
}
