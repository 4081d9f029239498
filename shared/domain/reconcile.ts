import { parseKey, type KeyFacts, type ObjectKey } from './keys.ts'
import type { VerdictRecord } from './verdict.ts'

/** An object as a listing of its bucket tells it: the newest version, where there are versions. */
export type ListedObject = {
  key: string
  /** Without quotes; '' when the store names none. */
  etag: string
  /** In bytes. */
  size: number
  /** Some stores tell milliseconds here that their answers about the object itself leave out. */
  lastModified: Date
}

export type ReconcileWindow = {
  now: Date
  /** What is younger may have its notification on the way. */
  minAgeMs: number
  /** What was stored before it is left out. */
  since?: Date
}

export type Sorted = { kind: 'foreign' | 'early' | 'young' } | { kind: 'due'; facts: KeyFacts }

/** Whether an object is one whose verdict should be there by now. `early`: stored before the window; `young`: after it. */
export const sortListed = ({ key, lastModified }: ListedObject, { now, minAgeMs, since }: ReconcileWindow): Sorted => {
  const parsed = parseKey(key)
  if (!parsed.ok) return { kind: 'foreign' }
  if (since && lastModified < since) return { kind: 'early' }
  if (now.getTime() - lastModified.getTime() < minAgeMs) return { kind: 'young' }
  return { kind: 'due', facts: parsed.facts }
}

/**
 * Whether a verdict has yet to be reached on an object that is there. One that speaks of another state says nothing; nor
 * does one by which the object should be gone: an unfinished removal is finished by looking again, and an object that came
 * back when its delete marker went is there again. The same bytes put again later are another upload.
 */
export const lacksVerdict = (verdict: VerdictRecord | undefined, object: ListedObject): boolean => {
  if (!verdict || verdict.removed || verdict.deleted) return true
  if (verdict.etag !== '' && object.etag !== '' && verdict.etag !== object.etag) return true
  return !isSameSecond(new Date(verdict.uploaded_at), object.lastModified)
}

/** The verdict's time is in whole seconds, and a store may have rounded to them or cut. */
const isSameSecond = (one: Date, other: Date) => Math.abs(one.getTime() - other.getTime()) < 1000

/**
 * The notification that S3 sends of a stored object, as a message's body: who reads it looks at the object itself, so what
 * follows bears the same ids as after S3's own. A key of ours stands for itself in the form encoding that is due here.
 * Source: Amazon S3 User Guide, "Event message structure".
 */
export const writeNotification = (
  { bucket, region }: { bucket: string; region: string },
  key: ObjectKey,
  { size, etag, lastModified }: ListedObject,
): string => {
  const object = { key, size, eTag: etag }
  const record = {
    eventVersion: '2.1',
    eventSource: 'aws:s3',
    awsRegion: region,
    eventTime: lastModified.toISOString(),
    eventName: 'ObjectCreated:Put',
    s3: { s3SchemaVersion: '1.0', bucket: { name: bucket }, object },
  }
  return JSON.stringify({ Records: [record] })
}
