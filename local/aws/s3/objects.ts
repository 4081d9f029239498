import type { FileHandle } from 'node:fs/promises'

import type { Blobs, StagedBlob } from '../blobs.ts'
import type { Database } from '../database.ts'
import type { Sqs } from '../sqs/service.ts'
import type { Buckets } from './buckets.ts'
import { preconditionFailed } from './errors.ts'
import { describeEvent, type ObjectEvent } from './events.ts'
import { ruleMatches } from './notifications.ts'

export type StoredObject = {
  key: string
  size: number
  /** Quoted. */
  etag: string
  /** The kept request headers, user metadata included. */
  headers: Readonly<Record<string, string>>
  checksums: Readonly<Record<string, string>>
  modifiedMs: number
}
export type NewObject = Omit<StoredObject, 'modifiedMs' | 'size'> & { bucket: string; createOnly: boolean }
export type Cause = { sourceIp: string; requestId: string }

export type Objects = {
  find: (bucket: string, key: string) => StoredObject | undefined
  open: (bucket: string, key: string) => Promise<{ object: StoredObject; file: FileHandle } | undefined>
  /** Makes a staged blob an object, with its notifications. @throws AwsError PreconditionFailed, NoSuchBucket */
  put: (object: NewObject, blob: StagedBlob, cause: Cause) => Promise<void>
  /** Removes what is there of these keys, with the notifications. */
  remove: (bucket: string, keys: readonly string[], cause: Cause) => Promise<void>
  /** In the order of their UTF-8 bytes, from `fromKey` on. */
  iterate: (bucket: string, fromKey: string) => Iterable<StoredObject>
}

type Row = {
  key: string
  blob: string
  size: number
  etag: string
  headers: string
  checksums: string
  modified_ms: number
}

export const openObjects = (
  { database, blobs, buckets, sqs }: { database: Database; blobs: Blobs; buckets: Buckets; sqs: Sqs },
  region: string,
  now: () => number,
): Objects => {
  const select = database.prepare<Row>('SELECT * FROM objects WHERE bucket = ? AND key = ?')
  const selectFrom = database.prepare<Row>('SELECT * FROM objects WHERE bucket = ? AND key >= ? ORDER BY key')
  const insert = database.prepare('INSERT INTO objects VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
  const remove = database.prepare<{ blob: string }>('DELETE FROM objects WHERE bucket = ? AND key = ? RETURNING blob')
  const nextSequence = database.prepare<{ value: number }>('UPDATE sequencer SET value = value + 1 RETURNING value')
  blobs.sweep(
    new Set(
      database
        .prepare<{ blob: string }>('SELECT blob FROM objects')
        .all()
        .map(({ blob }) => blob),
    ),
  )

  /** Enqueues what the bucket's rules ask for; gives what is to be done after the commit. */
  const notify = (event: Omit<ObjectEvent, 'sequencer' | 'timeMs'>): (() => void)[] => {
    const rules = buckets.get(event.bucket).notifications.filter((rule) => ruleMatches(rule, event.kind, event.key))
    const sequencer = (nextSequence.get()?.value ?? 0).toString(16).toUpperCase().padStart(18, '0')
    return rules.flatMap((rule) => {
      const target = sqs.target(rule.queueArn)
      target?.enqueue(describeEvent({ ...event, sequencer, timeMs: now() }, rule, region))
      return target ? [target.wake] : []
    })
  }

  const commitPut = (object: NewObject, blob: StagedBlob, cause: Cause) =>
    database.transaction(() => {
      const { bucket, key, etag, headers, checksums, createOnly } = object
      if (createOnly && select.get(bucket, key)) throw preconditionFailed('If-None-Match')
      const replaced = remove.all(bucket, key)
      insert.run(bucket, key, blob.name, blob.size, etag, JSON.stringify(headers), JSON.stringify(checksums), now())
      const wakes = notify({ kind: 'ObjectCreated:Put', bucket, key, created: { size: blob.size, etag }, ...cause })
      return { wakes, replaced }
    })

  const commitRemove = (bucket: string, keys: readonly string[], cause: Cause) =>
    database.transaction(() => {
      const removed = keys.flatMap((key) => remove.all(bucket, key).map(({ blob }) => ({ key, blob })))
      return {
        removed,
        wakes: removed.flatMap(({ key }) => notify({ kind: 'ObjectRemoved:Delete', bucket, key, ...cause })),
      }
    })

  const removeBlobs = async (rows: readonly { blob: string }[]): Promise<void> => {
    for (const { blob } of rows) await blobs.remove(blob)
  }

  return {
    find: (bucket, key) => {
      const row = select.get(bucket, key)
      return row && parseRow(row)
    },
    open: async (bucket, key) => {
      // A blob may be replaced between the row and the file: then the row is read anew.
      for (;;) {
        const row = select.get(bucket, key)
        if (!row) return undefined
        const file = await blobs.open(row.blob)
        if (file) return { object: parseRow(row), file }
        if (select.get(bucket, key)?.blob === row.blob)
          throw new Error(`the blob ${row.blob} of ${bucket}/${key} is missing`)
      }
    },
    put: async (object, blob, cause) => {
      await blobs.publish(blob.name)
      try {
        const { wakes, replaced } = commitPut(object, blob, cause)
        wakes.forEach((wake) => wake())
        await removeBlobs(replaced)
      } catch (error) {
        await blobs.remove(blob.name)
        throw error
      }
    },
    remove: async (bucket, keys, cause) => {
      const { removed, wakes } = commitRemove(bucket, keys, cause)
      wakes.forEach((wake) => wake())
      await removeBlobs(removed)
    },
    iterate: function* (bucket, fromKey) {
      for (const row of selectFrom.iterate(bucket, fromKey)) yield parseRow(row)
    },
  }
}

const parseRow = (row: Row): StoredObject => ({
  key: row.key,
  size: row.size,
  etag: row.etag,
  // The casts: written by `put` alone.
  headers: JSON.parse(row.headers) as Record<string, string>,
  checksums: JSON.parse(row.checksums) as Record<string, string>,
  modifiedMs: row.modified_ms,
})
