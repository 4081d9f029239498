import type { LogRecord } from '#shared/ports/event-log.ts'

import type { OpenClient } from './client.ts'
import { openMember } from './member.ts'
import type { Positions } from './positions.ts'
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
      for (const { topic, partition, next } of positions.list())
        consumer.seek({ topic, partition, offset: String(next) })
    },
    onBatch: (payload) => {
      const { topic, partition, messages } = payload.batch
      const records = messages.map((message) => toRecord(topic, partition, message))
      collected.push(...records.filter(positions.isDue))
      payload.resolveOffset(payload.batch.lastOffset())
      if (collected.length > window) resumes.push(payload.pause())
      onNews()
    },
  })
  return {
    /** What has come since the last call. */
    take: (): LogRecord[] => {
      const taken = collected
      collected = []
      for (const resume of resumes.splice(0)) resume()
      return taken
    },
    checkLife: member.checkLife,
    close: member.close,
  }
}
