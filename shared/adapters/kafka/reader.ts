import type { LogRecord } from '#shared/ports/event-log.ts'

import type { OpenClient } from './client.ts'
import { openMember } from './member.ts'
import type { Place, Positions } from './positions.ts'
import { toRecord } from './records.ts'

/** Records that were fetched and are not read yet before fetching pauses. */
const window = 5_000
const maxWaitMs = 200

/** Collects what is due to a reader. */
export const openReader = (options: {
  openClient: OpenClient
  group: string
  topics: readonly string[]
  positions: Positions
  onNews: () => void
}) => {
  const { openClient, group, topics, positions, onNews } = options
  let collected: LogRecord[] = []
  /** The ends of the batches that were collected: also what is no record has its offset, like a transaction's marker. */
  let ends: Place[] = []
  let unhear: (() => void) | undefined
  const resumes: (() => void)[] = []

  const member = openMember({
    openClient,
    group,
    topics,
    maxWaitMs,
    onFailure: onNews,
    onJoin: (_, consumer) => {
      // What was collected and not read is fetched again.
      collected = []
      ends = []
      unhear?.()
      // A batch without any record of ours, of markers or of what was aborted, is told by this event only.
      unhear = consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => {
        if (payload.batchSize > 0) return
        ends.push({ topic: payload.topic, partition: payload.partition, offset: payload.lastOffset })
        onNews()
      })
      for (const { topic, partition, next } of positions.list())
        consumer.seek({ topic, partition, offset: String(next) })
    },
    onBatch: (payload) => {
      // Fetched before the group was joined again: it is behind what was dropped then.
      if (payload.isStale()) return
      const { topic, partition, messages } = payload.batch
      const offset = payload.batch.lastOffset()
      const records = messages.map((message) => toRecord(topic, partition, message))
      collected.push(...records.filter(positions.isDue))
      ends.push({ topic, partition, offset })
      payload.resolveOffset(offset)
      if (collected.length > window) resumes.push(payload.pause())
      onNews()
    },
  })
  return {
    /** What has come since the last call; `ends` are passed when all `records` are. */
    take: (): { records: LogRecord[]; ends: Place[] } => {
      const taken = { records: collected, ends }
      collected = []
      ends = []
      for (const resume of resumes.splice(0)) resume()
      return taken
    },
    checkLife: member.checkLife,
    close: member.close,
  }
}
