import type { LogRecord, ReadOptions } from '#shared/ports/event-log.ts'

import { alarm } from '../alarm.ts'
import { whileBusy } from './failures.ts'
import type { RecordStore } from './records.ts'
import type { TopicStore } from './topics.ts'
import { lookAgainMs } from './wake.ts'
import type { Bell } from './wake.ts'

const batchSize = 100

/** Reads topics in the order of their appends. Where that begins and ends is fixed by this call, not by the first read. */
export const readRecords = (
  { topics: names, from, follow, signal: wanted }: ReadOptions,
  context: { path: string; topics: TopicStore; records: RecordStore; bell: Bell; closing: AbortSignal },
): AsyncIterable<LogRecord> => {
  const { path, records, bell, closing } = context
  const topics = context.topics.find(names)
  const signal = AbortSignal.any([wanted, closing])
  const isOver = () => signal.aborted
  const end = records.lastId()
  const start = from === 'start' ? 0 : end

  /** All up to an id, which becomes the place to go on from. */
  const readUntil = async function* (afterId: number, untilId: number) {
    for (let position = afterId; !isOver();) {
      const batch = await whileBusy(() => records.takeTopics(topics, position, untilId, batchSize), path)
      for (const record of batch) {
        if (isOver()) return
        yield record
      }
      const last = batch.at(-1)
      if (batch.length < batchSize || !last) return
      position = Number(last.offset)
    }
  }
  const followFrom = async function* (afterId: number) {
    const news = alarm()
    const hangUp = bell.listen(news.ring)
    signal.addEventListener('abort', news.ring)
    try {
      for (let position = afterId; !isOver();) {
        const untilId = await whileBusy(records.lastId, path)
        yield* readUntil(position, untilId)
        position = untilId
        await news.wait(lookAgainMs)
      }
    } finally {
      signal.removeEventListener('abort', news.ring)
      hangUp()
    }
  }
  return follow ? followFrom(start) : readUntil(start, end)
}
