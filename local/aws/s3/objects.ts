import type { FileHandle } from 'node:fs/promises'

import type { Blobs, StagedBlob } from '../blobs.ts'
import type { Database } from '../database.ts'
import { AwsError } from '../errors.ts'
import type { Sqs } from '../sqs/service.ts'
import type { Bucket, Buckets } from './buckets.ts'
import { checkMatch } from './conditions.ts'
import { preconditionFailed } from './errors.ts'
import { describeEvent, type ObjectEvent } from './events.ts'
import type { NotificationFaults } from './notification-faults.ts'
import { ruleMatches } from './notifications.ts'
import { newVersionId, nullVersion } from './version-ids.ts'
import { openVersionRows, type StoredObject, type StoredVersion, type VersionRows } from './version-rows.ts'

export type NewObject = Pick<StoredObject, 'key' | 'etag' | 'headers' | 'checksums'> & {
  bucket: string
  createOnly: boolean
  /** The etag that what it replaces must have. */
  ifMatch?: string | undefined
}
/** `version`: that one is removed for good; without it, what a plain DELETE of this bucket does. */
export type Removal = { key: string; version?: string | undefined; ifMatch?: string | undefined }
/** What a removal did. `version` is absent in a bucket that never had versions. */
export type Removed = { version?: string; marker?: 'created' | 'removed' }
export type Cause = { sourceIp: string; requestId: string; by?: 'LifecycleExpiration' }

export type Objects = Pick<VersionRows, 'find' | 'iterate' | 'iterateCurrent'> & {
  /** The bytes of a version; undefined when it was removed meanwhile. */
  open: (bucket: string, object: StoredObject) => Promise<FileHandle | undefined>
  /** Makes a staged blob the current version, with its notifications. @throws AwsError PreconditionFailed, NoSuchKey, NoSuchBucket */
  put: (object: NewObject, blob: StagedBlob, cause: Cause) => Promise<{ version?: string }>
  /**
   * Removes, or marks as deleted, all in one transaction with the notifications, begun before it returns. A removal that
   * is refused stands as its error in its place and does nothing.
   */
  remove: (bucket: string, removals: readonly Removal[], cause: Cause) => Promise<(Removed | AwsError)[]>
}

type Stores = { database: Database; blobs: Blobs; buckets: Buckets; sqs: Sqs; faults: NotificationFaults }
/** What is to be done after the commit. */
type Aftermath = { wakes: (() => void)[]; blobs: string[] }

export const openObjects = (
  { database, blobs, buckets, sqs, faults }: Stores,
  region: string,
  now: () => number,
): Objects => {
  const rows = openVersionRows(database)
  blobs.sweep(new Set(rows.blobs()))

  /** Enqueues what the bucket's rules ask for. */
  const notify = (bucket: Bucket, event: Omit<ObjectEvent, 'bucket' | 'timeMs'>, after: Aftermath): void => {
    for (const rule of bucket.notifications.filter((each) => ruleMatches(each, event.kind, event.key))) {
      const target = sqs.target(rule.queueArn)
      if (!target) continue
      const body = describeEvent({ ...event, bucket: bucket.name, timeMs: now() }, rule, region)
      for (const delayMs of faults.plan(rule.queueArn, now())) target.enqueue(body, delayMs)
      after.wakes.push(target.wake)
    }
  }

  const removeVersion = (bucket: Bucket, key: string, version: string, after: Aftermath): StoredVersion | undefined => {
    const removed = rows.remove(bucket.name, key, version)
    if (removed?.kind === 'object') after.blobs.push(removed.blob)
    return removed
  }

  const commitPut = (object: NewObject, { name, size }: StagedBlob, cause: Cause, after: Aftermath) =>
    database.transaction(() => {
      const { key, etag, headers, checksums, createOnly, ifMatch } = object
      const bucket = buckets.get(object.bucket)
      const current = rows.find(bucket.name, key)
      if (createOnly && current?.kind === 'object') throw preconditionFailed('If-None-Match')
      checkMatch(current, key, ifMatch)
      const place = { key, ...newPlace(bucket), modifiedMs: now() }
      if (place.version === nullVersion) removeVersion(bucket, key, nullVersion, after)
      rows.insert(bucket.name, { kind: 'object', ...place, blob: name, size, etag, headers, checksums })
      const event = { ...place, kind: 'ObjectCreated:Put', content: { size, etag } }
      notify(bucket, { ...event, ...told(bucket, place.version), ...cause }, after)
      return bucket.versioning === undefined ? {} : { version: place.version }
    })

  const newPlace = ({ versioning }: Bucket) => {
    const sequence = rows.nextSequence()
    return { sequence, version: versioning === 'Enabled' ? newVersionId(sequence) : nullVersion }
  }

  const addMarker = (bucket: Bucket, key: string, cause: Cause, after: Aftermath): Removed => {
    const place = { key, ...newPlace(bucket), modifiedMs: now() }
    if (place.version === nullVersion) removeVersion(bucket, key, nullVersion, after)
    rows.insert(bucket.name, { kind: 'marker', ...place })
    const kind = `${cause.by ?? 'ObjectRemoved'}:DeleteMarkerCreated`
    notify(bucket, { ...place, kind, content: emptyContent, ...told(bucket, place.version), ...cause }, after)
    return { version: place.version, marker: 'created' }
  }

  const removeForGood = (bucket: Bucket, key: string, version: string, cause: Cause, after: Aftermath): Removed => {
    const removed = removeVersion(bucket, key, version, after)
    const kind = `${cause.by ?? 'ObjectRemoved'}:Delete`
    if (removed) notify(bucket, { kind, key, sequence: rows.nextSequence(), ...told(bucket, version), ...cause }, after)
    if (bucket.versioning === undefined) return {}
    return { version, ...(removed?.kind === 'marker' && { marker: 'removed' }) }
  }

  const removeOne = (bucket: Bucket, removal: Removal, cause: Cause, after: Aftermath): Removed => {
    const { key, version, ifMatch } = removal
    checkMatch(rows.find(bucket.name, key), key, ifMatch)
    if (version === undefined && bucket.versioning !== undefined) return addMarker(bucket, key, cause, after)
    return removeForGood(bucket, key, version ?? nullVersion, cause, after)
  }

  const orRemove = async <T>(blob: string, commit: () => T): Promise<T> => {
    try {
      return commit()
    } catch (error) {
      await blobs.remove(blob)
      throw error
    }
  }

  const finish = async (after: Aftermath): Promise<void> => {
    for (const wake of new Set(after.wakes)) wake()
    for (const blob of after.blobs) await blobs.remove(blob)
  }

  return {
    find: rows.find,
    iterate: rows.iterate,
    iterateCurrent: rows.iterateCurrent,
    open: async (bucket, { key, version, blob }) => {
      const file = await blobs.open(blob)
      const found = file ? undefined : rows.find(bucket, key, version)
      if (found?.kind === 'object' && found.blob === blob)
        throw new Error(`the blob ${blob} of ${bucket}/${key} is missing`)
      return file
    },
    put: async (object, blob, cause) => {
      await blobs.publish(blob.name)
      const after: Aftermath = { wakes: [], blobs: [] }
      const stored = await orRemove(blob.name, () => commitPut(object, blob, cause, after))
      await finish(after)
      return stored
    },
    remove: async (bucketName, removals, cause) => {
      const after: Aftermath = { wakes: [], blobs: [] }
      const removed = database.transaction(() => {
        const bucket = buckets.get(bucketName)
        return removals.map((removal) => orRefusal(() => removeOne(bucket, removal, cause, after)))
      })
      await finish(after)
      return removed
    },
  }
}

/** What S3 tells of a delete marker's content. */
const emptyContent = { etag: '"d41d8cd98f00b204e9800998ecf8427e"' }

/** Source: AWS, "Event message structure": the version of an object in a bucket with versioning. */
const told = ({ versioning }: Bucket, version: string): { versionId?: string } =>
  versioning === 'Enabled' || version !== nullVersion ? { versionId: version } : {}

const orRefusal = (work: () => Removed): Removed | AwsError => {
  try {
    return work()
  } catch (error) {
    if (error instanceof AwsError) return error
    throw error
  }
}
