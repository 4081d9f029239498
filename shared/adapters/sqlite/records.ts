import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'

import type { LogRecord, NewRecord } from '#shared/ports/event-log.ts'

import { integer, text } from './database.ts'
import { partitionOf } from './topics.ts'
import type { StoredTopic } from './topics.ts'

export type Partition = { topic: StoredTopic; partition: number }

/** The statements on records; an id is a record's offset. */
export const recordStore = (database: DatabaseSync) => {
  const insert = database.prepare(
    'INSERT INTO records (topic, partition, key, value, headers, appended_at) VALUES (?, ?, ?, ?, ?, ?)',
  )
  const selectLastId = database.prepare('SELECT coalesce(max(id), 0) AS id FROM records')
  const selectPartition = database.prepare(
    'SELECT * FROM records WHERE topic = ? AND partition = ? AND id > ? ORDER BY id LIMIT ?',
  )
  // "+topic" keeps SQLite from the index, which would have to sort: the ids themselves are in order.
  const selectTopics = database.prepare(
    'SELECT * FROM records WHERE id > ? AND id <= ? AND +topic IN (SELECT value FROM json_each(?)) ORDER BY id LIMIT ?',
  )
  const deleteOldest = database.prepare(
    `DELETE FROM records WHERE id IN (
      SELECT id FROM (SELECT id, appended_at FROM records WHERE topic = ? AND partition = ? ORDER BY id LIMIT ?)
      WHERE appended_at < ?)`,
  )

  return {
    insert: (topic: StoredTopic, { key, value, headers }: NewRecord, appendedAt: Date): void => {
      const partition = partitionOf(key, topic.partitions)
      insert.run(topic.id, partition, key, value, JSON.stringify(headers ?? {}), appendedAt.getTime())
    },
    lastId: (): number => integer(selectLastId.get()?.['id']),
    /** The next of one partition after an id. */
    takePartition: ({ topic, partition }: Partition, afterId: number, max: number): LogRecord[] =>
      selectPartition.all(topic.id, partition, afterId, max).map((row) => parseRecord(row, topic.name)),
    /** The next of many topics between two ids, the upper one included. */
    takeTopics: (topics: readonly StoredTopic[], afterId: number, untilId: number, max: number): LogRecord[] => {
      const names = new Map(topics.map(({ id, name }) => [id, name]))
      const rows = selectTopics.all(afterId, untilId, JSON.stringify([...names.keys()]), max)
      return rows.map((row) => parseRecord(row, names.get(integer(row['topic'])) ?? ''))
    },
    /** @returns how many of a partition's `max` oldest records were from before that time, and are gone now */
    deleteOldest: ({ topic, partition }: Partition, before: number, max: number): number =>
      Number(deleteOldest.run(topic.id, partition, max, before).changes),
  }
}

export type RecordStore = ReturnType<typeof recordStore>

const parseRecord = (row: Record<string, SQLOutputValue>, topic: string): LogRecord => ({
  topic,
  partition: integer(row['partition']),
  offset: String(integer(row['id'])),
  key: text(row['key']),
  value: text(row['value']),
  headers: parseHeaders(text(row['headers'])),
  appendedAt: new Date(integer(row['appended_at'])),
})

// `as`: the column is only ever written by `insert` above, from headers of this type.
const parseHeaders = (json: string) => (json === '{}' ? {} : (JSON.parse(json) as Record<string, string>))
