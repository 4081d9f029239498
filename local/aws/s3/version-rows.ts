import type { Database } from '../database.ts'

type Version = {
  key: string
  version: string
  /** Its place among all writes: the highest of a key is the current one. */
  sequence: number
  modifiedMs: number
}
export type StoredObject = Version & {
  kind: 'object'
  /** The name of its bytes. */
  blob: string
  size: number
  /** Quoted. */
  etag: string
  /** The kept request headers, user metadata included. */
  headers: Readonly<Record<string, string>>
  checksums: Readonly<Record<string, string>>
}
export type DeleteMarker = Version & { kind: 'marker' }
export type StoredVersion = StoredObject | DeleteMarker
export type ListedVersion = StoredVersion & { isLatest: boolean }

/** Where a listing begins: behind all other versions of `key` but those below that sequence. */
export type Place = { key: string; below: number }
/** Before all versions of a key. */
export const anySequence = Number.MAX_SAFE_INTEGER

/** The versions of all keys. Changes belong into a transaction of the caller's. */
export type VersionRows = {
  /** The current version, or the one that is named. */
  find: (bucket: string, key: string, version?: string) => StoredVersion | undefined
  insert: (bucket: string, version: StoredVersion) => void
  /** Gives what was there. */
  remove: (bucket: string, key: string, version: string) => StoredVersion | undefined
  /** In the order of the keys' UTF-8 bytes, the versions of a key newest first. */
  iterate: (bucket: string, from: Place) => Iterable<ListedVersion>
  /** The same, only of what can be read without naming a version. */
  iterateCurrent: (bucket: string, from: Place) => Iterable<StoredObject>
  /** All names of bytes that a version needs. */
  blobs: () => string[]
  /** Rises with every write, and never comes back. */
  nextSequence: () => number
}

type Row = {
  key: string
  version: string
  sequence: number
  blob: string | null
  size: number
  etag: string
  headers: string
  checksums: string
  modified_ms: number
}

const isLatest =
  'NOT EXISTS (SELECT 1 FROM objects AS n WHERE n.bucket = o.bucket AND n.key = o.key AND n.sequence > o.sequence)'
const listed = 'FROM objects AS o WHERE bucket = ?1 AND key >= ?2 AND (key > ?2 OR sequence < ?3)'
const inOrder = 'ORDER BY key, sequence DESC'

export const openVersionRows = (database: Database): VersionRows => {
  const findCurrent = database.prepare<Row>(
    'SELECT * FROM objects WHERE bucket = ? AND key = ? ORDER BY sequence DESC LIMIT 1',
  )
  const findNamed = database.prepare<Row>('SELECT * FROM objects WHERE bucket = ? AND key = ? AND version = ?')
  const insert = database.prepare('INSERT INTO objects VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
  const remove = database.prepare<Row>('DELETE FROM objects WHERE bucket = ? AND key = ? AND version = ? RETURNING *')
  const selectAll = database.prepare<Row & { is_latest: number }>(
    `SELECT *, ${isLatest} AS is_latest ${listed} ${inOrder}`,
  )
  const selectCurrent = database.prepare<Row>(`SELECT * ${listed} AND blob IS NOT NULL AND ${isLatest} ${inOrder}`)
  const blobs = database.prepare<{ blob: string }>('SELECT blob FROM objects WHERE blob IS NOT NULL')
  const next = database.prepare<{ value: number }>('UPDATE sequencer SET value = value + 1 RETURNING value')
  const parse = (row: Row | undefined) => row && parseRow(row)
  return {
    find: (bucket, key, version) =>
      parse(version === undefined ? findCurrent.get(bucket, key) : findNamed.get(bucket, key, version)),
    insert: (bucket, stored) => {
      const { key, sequence, version, modifiedMs } = stored
      insert.run(bucket, key, sequence, version, ...contentOf(stored), modifiedMs)
    },
    // `all`, because a statement that changes and returns must be run to its end.
    remove: (bucket, key, version) => parse(remove.all(bucket, key, version)[0]),
    iterate: function* (bucket, { key, below }) {
      for (const row of selectAll.iterate(bucket, key, below)) yield { ...parseRow(row), isLatest: row.is_latest === 1 }
    },
    iterateCurrent: function* (bucket, { key, below }) {
      for (const row of selectCurrent.iterate(bucket, key, below)) {
        const stored = parseRow(row)
        if (stored.kind === 'object') yield stored
      }
    },
    blobs: () => blobs.all().map(({ blob }) => blob),
    nextSequence: () => next.all()[0]?.value ?? 0,
  }
}

const contentOf = (stored: StoredVersion): [string | null, number, string, string, string] =>
  stored.kind === 'marker'
    ? [null, 0, '', '{}', '{}']
    : [stored.blob, stored.size, stored.etag, JSON.stringify(stored.headers), JSON.stringify(stored.checksums)]

const parseRow = (row: Row): StoredVersion => {
  const { key, version, sequence, blob, size, etag, modified_ms: modifiedMs } = row
  if (blob === null) return { kind: 'marker', key, version, sequence, modifiedMs }
  // The casts: written by `insert` alone.
  const headers = JSON.parse(row.headers) as Record<string, string>
  const checksums = JSON.parse(row.checksums) as Record<string, string>
  return { kind: 'object', key, version, sequence, modifiedMs, blob, size, etag, headers, checksums }
}
