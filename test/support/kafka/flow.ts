import assert from 'node:assert/strict'

import { OutageError } from '#shared/ports/failures.ts'

import { firstSights, startConsumer, valuesByKey } from '../event-log-consumer.ts'
import { eventually } from '../eventually.ts'
import { createTopic, withEventLogs } from './event-logs.ts'

const keys = 50
const patienceMs = 120_000

export type Flow = {
  /** How many records were acknowledged so far. */
  acked: () => number
  /** How many appends were rejected by an outage; each was repeated until it was acknowledged. */
  outages: () => number
  /** Resolves when that many were acknowledged. */
  reached: (count: number) => Promise<unknown>
}

/**
 * Lets keyed events flow from a producer to a consumer while `disturb` disturbs them, and checks that what was
 * acknowledged is what was consumed, each key in order.
 */
export const checkFlow = (brokers: string, count: number, disturb: (flow: Flow) => Promise<void>) =>
  withEventLogs(brokers, async (open) => {
    const producer = open()
    const topic = await createTopic(producer, 6)
    const consumer = startConsumer(open(), { topics: [topic], concurrency: 20 })
    let acked = 0
    let outages = 0
    const appendUntilAcked = async (key: string, value: string) => {
      for (;;) {
        try {
          await producer.append([{ topic, key, value }])
          return
        } catch (error) {
          if (!(error instanceof OutageError)) throw error
          outages++
        }
      }
    }
    const produceKey = async (key: string) => {
      for (let index = 0; index < count / keys; index++) {
        await appendUntilAcked(key, `${key} ${index}`)
        acked++
      }
    }
    const reached = (wanted: number) => eventually(() => acked >= wanted, `${wanted} records acknowledged`, patienceMs)
    const produced = Promise.all(Array.from({ length: keys }, (_, index) => produceKey(`key-${index}`)))
    await Promise.all([produced, disturb({ acked: () => acked, outages: () => outages, reached })])
    const seen = () => new Set(consumer.values()).size
    await eventually(() => seen() === acked, `${acked} records consumed (${seen()} are)`, patienceMs)
    await consumer.stop()

    assert.equal(acked, count)
    for (const [key, values] of Object.entries(valuesByKey(firstSights(consumer.seen))))
      assert.deepEqual(
        values,
        Array.from({ length: count / keys }, (_, index) => `${key} ${index}`),
      )
    return { repeats: consumer.seen.length - count, outages }
  })
