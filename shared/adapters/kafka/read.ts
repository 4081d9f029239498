import { randomUUID } from 'node:crypto'

import type { LogRecord, ReadOptions } from '#shared/ports/event-log.ts'
import { OutageError } from '#shared/ports/failures.ts'
import { backoff, pause } from '#shared/runtime/backoff.ts'

import { alarm } from '../alarm.ts'
import type { Administration } from './admin.ts'
import type { OpenClient } from './client.ts'
import { explainFailure } from './failures.ts'
import { openPositions } from './positions.ts'
import type { Positions } from './positions.ts'
import { openReader } from './reader.ts'
import type { TopicStore } from './topics.ts'

export type ReadContext = {
  openClient: OpenClient
  administration: Administration
  topicStore: TopicStore
  /** Aborts when the handle closes. */
  closing: AbortSignal
}

const outageDelayMs = backoff({ baseMs: 200, capMs: 2_000 })
/** Who reads to the end wants an answer; who follows waits. */
const maxOutages = 5

/**
 * Reads topics; where that begins and ends is fixed when the promise resolves. kafkajs reads in groups only, so a reader
 * joins one of its own, `reader-` and a random name, which commits nothing and is deleted at the end.
 */
export const readRecords = async (
  { topics, from, follow, signal: wanted }: ReadOptions,
  { openClient, administration, topicStore, closing }: ReadContext,
): Promise<AsyncIterable<LogRecord>> => {
  await topicStore.findTopics(topics)
  const positions = openPositions({ from, follow })
  const askOffsets = (topic: string) => administration.ask((admin) => admin.fetchTopicOffsets(topic), [topic])
  for (const topic of topics) positions.add(topic, await askOffsets(topic))
  const skipGone = async () => {
    for (const topic of topics) positions.skip(topic, await askOffsets(topic))
  }
  const signal = AbortSignal.any([wanted, closing])

  const readAll = async function* () {
    const group = `reader-${randomUUID()}`
    try {
      for (let outages = 0; !signal.aborted && !positions.areReached(); outages++) {
        try {
          yield* readSession({ openClient, group, topics, positions, skipGone: follow ? undefined : skipGone, signal })
        } catch (error) {
          const explained = explainFailure(error, topics)
          if (!(explained instanceof OutageError) || (!follow && outages >= maxOutages)) throw explained
          await pause(outageDelayMs(outages), signal)
        }
      }
    } finally {
      await administration.ask((admin) => admin.deleteGroups([group])).catch(() => undefined)
    }
  }
  return readAll()
}

/** Reads by one kafkajs consumer until the end, if there is one, or the signal. @throws what ended it before */
const readSession = async function* (options: {
  openClient: OpenClient
  group: string
  topics: readonly string[]
  positions: Positions
  /** Moves the positions to the topics' beginnings; given by who reads to an end, which may be gone meanwhile. */
  skipGone: (() => Promise<void>) | undefined
  signal: AbortSignal
}) {
  const { positions, skipGone, signal } = options
  const news = alarm()
  const reader = openReader({ ...options, onNews: news.ring })
  signal.addEventListener('abort', news.ring)
  const isOver = () => signal.aborted
  try {
    while (!isOver()) {
      const { records, ends } = reader.take()
      for (const record of records) {
        if (isOver()) return
        // Whoever leaves the loop at this record has had it.
        positions.pass(record)
        yield record
      }
      ends.forEach(positions.pass)
      if (records.length === 0 && ends.length === 0) await skipGone?.()
      if (positions.areReached()) return
      reader.checkLife()
      await news.wait(1_000)
    }
  } finally {
    signal.removeEventListener('abort', news.ring)
    await reader.close()
  }
}
