import { z } from 'zod'

/** What one record of an S3 notification tells; nothing of it is believed but that there is something to look at. */
export type NotificationRecord = {
  kind: 'created' | 'deleted' | 'expired' | 'other'
  /** As S3 wrote it, without the `s3:` that some stores put before it. */
  eventName: string
  bucket: string
  /** Decoded. */
  key: string
  versionId?: string
  sequencer?: string
  eventTime: Date
}

/** A record with its raw form, which is what a quarantine keeps. */
export type ReadRecord = { raw: unknown } & ({ ok: true; record: NotificationRecord } | { ok: false; reason: string })

/** A message of the uploads queue: records, S3's test event, or something that can't be read. */
export type Notification =
  { kind: 'records'; records: ReadRecord[] } | { kind: 'test' } | { kind: 'unreadable'; reason: string }

const recordSchema = z.object({
  eventVersion: z.string().regex(/^2\.\d+$/, { error: 'is not 2.x' }),
  eventName: z.string().min(1),
  eventTime: z.iso.datetime({ offset: true }),
  s3: z.object({
    bucket: z.object({ name: z.string().min(1) }),
    object: z.object({ key: z.string().min(1), versionId: z.string().nullish(), sequencer: z.string().nullish() }),
  }),
})

const recordsSchema = z.object({ Records: z.array(z.unknown()).min(1) })
const testSchema = z.object({ Event: z.literal('s3:TestEvent') })

/**
 * Reads a message's body. Total: whatever the text is, there is an answer.
 * Source: Amazon S3 User Guide, "Event message structure".
 */
export const parseNotification = (body: string): Notification => {
  const json = parseJson(body)
  if (!json.ok) return { kind: 'unreadable', reason: 'the message is not JSON' }
  const parsed = recordsSchema.safeParse(json.value)
  if (parsed.success) return { kind: 'records', records: parsed.data.Records.map(readRecord) }
  if (testSchema.safeParse(json.value).success) return { kind: 'test' }
  return { kind: 'unreadable', reason: 'the message has no list of Records as S3 sends it' }
}

const parseJson = (text: string): { ok: true; value: unknown } | { ok: false } => {
  try {
    return { ok: true, value: JSON.parse(text) as unknown }
  } catch {
    return { ok: false }
  }
}

const readRecord = (raw: unknown): ReadRecord => {
  const parsed = recordSchema.safeParse(raw)
  if (!parsed.success) return { ok: false, raw, reason: describeIssues(parsed.error) }
  const { eventName, eventTime, s3 } = parsed.data
  const key = decodeKey(s3.object.key)
  if (key === undefined) return { ok: false, raw, reason: 'the object key is not form-encoded UTF-8' }
  const name = eventName.replace(/^s3:/, '')
  return {
    ok: true,
    raw,
    record: {
      kind: kindOf(name),
      eventName: name,
      bucket: s3.bucket.name,
      key,
      // Stores say "no version" as an absent field, null, '' or 'null'.
      ...(s3.object.versionId && s3.object.versionId !== 'null' ? { versionId: s3.object.versionId } : {}),
      ...(s3.object.sequencer ? { sequencer: s3.object.sequencer } : {}),
      eventTime: new Date(eventTime),
    },
  }
}

const describeIssues = (error: z.ZodError) =>
  error.issues.map(({ path, message }) => `the record's ${path.join('.') || 'form'}: ${message}`).join('; ')

const kindOf = (eventName: string): NotificationRecord['kind'] => {
  if (eventName.startsWith('ObjectCreated:')) return 'created'
  if (eventName.startsWith('ObjectRemoved:')) return 'deleted'
  if (eventName.startsWith('LifecycleExpiration:')) return 'expired'
  return 'other'
}

/** Keys are form-encoded in SQS messages: a space is `+`. */
const decodeKey = (key: string) => {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}
