import type { EventLog, LogRecord, NewRecord } from '#shared/ports/event-log.ts'

import { openFaults, type Faults } from './faults.ts'

export type FakeEventLog = { log: EventLog; faults: Faults; readonly records: readonly LogRecord[] }

/** An event log in memory that only records; it has one partition and no groups. */
export const fakeEventLog = (): FakeEventLog => {
  const records: LogRecord[] = []
  const faults = openFaults()
  const store = ({ topic, key, value, headers = {} }: NewRecord) => {
    records.push({ topic, partition: 0, offset: String(records.length), key, value, headers, appendedAt: new Date() })
  }
  const log: EventLog = {
    append: async (added) => {
      await faults.strike('append')
      added.forEach(store)
    },
    consume: () => Promise.reject(new Error('this fake has no consumers: bind the embedded event log instead')),
    read: async ({ topics }) => {
      await faults.strike('read')
      return ReadableStream.from(records.filter(({ topic }) => topics.includes(topic)))
    },
    ensureTopics: () => Promise.resolve([]),
    checkTopics: () => faults.strike('checkTopics'),
    ping: () => faults.strike('ping'),
    close: () => Promise.resolve(),
  }
  return { log, faults, records }
}
