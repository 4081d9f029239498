import { randomUUID } from 'node:crypto'
import { test } from 'node:test'

import { deadLetterTopic } from '#shared/domain/resources.ts'
import type { EventLog, NewRecord } from '#shared/ports/event-log.ts'

/** One adapter under test; every test opens its own. */
export type EventLogFixture = {
  log: EventLog
  /** Another handle on the same data, as another process would have. */
  reopen: () => Promise<EventLog>
  dispose: () => Promise<void>
}

export type OpenFixture = () => Promise<EventLogFixture>

export type ContractContext = EventLogFixture & {
  /** Creates a topic of a fresh name, with its dead letters. */
  createTopic: (partitions?: number) => Promise<string>
}

/** One claim of the contract, with a fixture of its own. */
export const claim = (open: OpenFixture, name: string, body: (context: ContractContext) => Promise<void>) =>
  void test(name, { timeout: 180_000 }, async () => {
    const fixture = await open()
    const createTopic = async (partitions = 1) => {
      const topic = `contract-${randomUUID()}`
      await fixture.log.ensureTopics([
        { name: topic, partitions, retentionDays: 7 },
        { name: deadLetterTopic(topic), partitions: 1, retentionDays: 7 },
      ])
      return topic
    }
    try {
      await body({ ...fixture, createTopic })
    } finally {
      await fixture.dispose()
    }
  })

/** `count` records with the values 0, 1, 2, ..., dealt to `keys` keys in turn. */
export const numbered = (topic: string, count: number, keys = 1, first = 0): NewRecord[] =>
  Array.from({ length: count }, (_, index) => ({
    topic,
    key: `key-${(first + index) % keys}`,
    value: String(first + index),
  }))

export const numbers = (count: number, first = 0): string[] =>
  Array.from({ length: count }, (_, index) => String(first + index))
