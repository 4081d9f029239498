import { z } from 'zod'

import { anything, readText, readTold, refuse, type Meaning, type ReadRecord } from './record.ts'

const recordSchema = z.object({
  eventVersion: z.string().regex(/^2\.\d+$/, { error: 'is not 2.x' }),
  eventName: z.string().min(1),
  eventTime: anything,
  awsRegion: anything,
  source: anything,
  s3: z.object({
    bucket: z.object({ name: z.string().min(1), ownerIdentity: anything }),
    object: z.object({ key: z.string().min(1), versionId: z.string().nullish(), sequencer: anything }),
  }),
})

const created: Meaning = { kind: 'created' }
const other: Meaning = { kind: 'other' }

/**
 * The events that say something here; all others are of another kind.
 * Sources: Amazon S3 User Guide, "Supported event types"; MinIO, internal/event/name.go; Ceph, "S3 Bucket Notifications
 * Compatibility".
 */
const meanings: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  ['ObjectCreated:Put', created],
  ['ObjectCreated:Post', created],
  ['ObjectCreated:Copy', created],
  ['ObjectCreated:CompleteMultipartUpload', created],
  ['ObjectRemoved:Delete', { kind: 'deleted' }],
  ['ObjectRemoved:DeleteMarkerCreated', { kind: 'deleted', removal: 'marker' }],
  ['LifecycleExpiration:Delete', { kind: 'expired' }],
  ['LifecycleExpiration:DeleteMarkerCreated', { kind: 'expired', removal: 'marker' }],
  // MinIO: its lifecycle took all versions at once.
  ['ObjectRemoved:DeleteAllVersions', { kind: 'deleted', removal: 'object' }],
  // Ceph: its own names; older releases have no others.
  ['ObjectLifecycle:Expiration:Current', { kind: 'expired' }],
  ['ObjectLifecycle:Expiration:NonCurrent', { kind: 'expired', removal: 'version' }],
  ['ObjectLifecycle:Expiration:Noncurrent', { kind: 'expired', removal: 'version' }],
])

/**
 * Reads one of a notification's Records.
 * Source: Amazon S3 User Guide, "Event message structure".
 */
export const readS3Record = (record: unknown): ReadRecord => {
  const raw = { Records: [record] }
  const parsed = recordSchema.safeParse(record)
  if (!parsed.success) return refuse(raw, parsed.error)
  const { eventTime, awsRegion, source, s3 } = parsed.data
  const key = decodeKey(s3.object.key)
  if (key === undefined) return { ok: false, raw, reason: 'the object key is not form-encoded UTF-8' }
  const eventName = parsed.data.eventName.replace(/^s3:/, '')
  return readTold(raw, {
    meaning: explain(eventName, source),
    eventName,
    bucket: s3.bucket.name,
    key,
    versionId: s3.object.versionId,
    sequencer: s3.object.sequencer,
    time: eventTime,
    region: awsRegion,
    owner: identitySchema.safeParse(s3.bucket.ownerIdentity).data?.principalId,
  })
}

const identitySchema = z.object({ principalId: anything })
const sourceSchema = z.object({ host: anything, userAgent: anything })

/** MinIO's lifecycle removes under the name of a delete, and tells itself by where that came from. */
const explain = (eventName: string, source: unknown): Meaning => {
  const meaning = meanings.get(eventName) ?? other
  if (meaning.kind !== 'deleted') return meaning
  const told = sourceSchema.safeParse(source).data
  const byLifecycle = [told?.userAgent, told?.host].some((by) => /^Internal: \[ILM-Expiry\]$/i.test(readText(by) ?? ''))
  return byLifecycle ? { ...meaning, kind: 'expired' } : meaning
}

/** Keys are form-encoded here, once: a space is `+`. Some stores write `%20`, or the key as it is, which for ours is the same. */
const decodeKey = (key: string) => {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}
