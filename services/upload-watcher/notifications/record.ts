import { z } from 'zod'

import { given } from '#shared/domain/given.ts'

/** What one record of a notification tells; nothing of it is believed but that there is something to look at. */
export type NotificationRecord =
  (Subject & { kind: 'created'; eventTime?: Date }) | (Subject & { kind: 'other'; eventTime?: Date }) | RemovalRecord

export type RemovalRecord = Subject & { kind: 'deleted' | 'expired'; removal: Removal; eventTime: Date }

type Subject = {
  /** As the store wrote it, without the `s3:` that some put before it; of EventBridge its detail-type, of R2 its action. */
  eventName: string
  /** Empty when the record is of another kind and names none; so is the key. */
  bucket: string
  /** As the object is called: decoded where the form encodes it. */
  key: string
  /** Of a removal by marker the marker's own, not that of the version that it hides. */
  versionId?: string
  sequencer?: string
  region?: string
  /** Account that the bucket belongs to, where the form names it: EventBridge and R2. */
  account?: string
  /** The bucket owner's id, which is no account number. */
  owner?: string
}

/**
 * What went. `object`: the only version there was. `marker`: nothing, a delete marker hides what was there. `version`: the
 * named version, which may have been the object, an older state of it or a delete marker: S3 doesn't say which.
 */
export type Removal = 'object' | 'marker' | 'version'

/** A record with its raw form as a message of its own, which is what a quarantine keeps and a redrive sends again. */
export type ReadRecord = { raw: unknown } & ({ ok: true; record: NotificationRecord } | { ok: false; reason: string })

/** A field that may be absent or of any kind: what can't be read of it is passed over. */
export const anything = z.unknown().optional()

/** What a name of an event means. `removal` only where the name alone tells it. */
export type Meaning = { kind: 'created' } | { kind: 'other' } | { kind: 'deleted' | 'expired'; removal?: Removal }

/** A record's fields as their form has them; what is `unknown` is passed over where it is of no use. */
export type Told = {
  meaning: Meaning
  eventName: string
  bucket: string
  key: string
  versionId?: string | null | undefined
  sequencer?: unknown
  time: unknown
  region?: unknown
  account?: unknown
  owner?: unknown
}

/** The one record that all forms lead to. A removal needs a time, since its event tells one. */
export const readTold = (raw: unknown, told: Told): ReadRecord => {
  const { meaning, eventName, bucket, key } = told
  const versionId = readVersion(told.versionId)
  const eventTime = readTime(told.time)
  const [region, account, owner] = [readText(told.region), readText(told.account), readText(told.owner)]
  const sequencer = readSequencer(told.sequencer)
  const subject = { eventName, bucket, key, ...given({ versionId, sequencer, region, account, owner }) }
  if (meaning.kind === 'created' || meaning.kind === 'other') {
    return { ok: true, raw, record: { kind: meaning.kind, ...subject, ...given({ eventTime }) } }
  }
  if (!eventTime) return { ok: false, raw, reason: "the record's eventTime: a removal has none that can be read" }
  const removal = meaning.removal ?? (versionId === undefined ? 'object' : 'version')
  return { ok: true, raw, record: { kind: meaning.kind, removal, ...subject, eventTime } }
}

export const refuse = (raw: unknown, error: z.ZodError): ReadRecord => ({
  ok: false,
  raw,
  reason: describeIssues(error),
})

const describeIssues = (error: z.ZodError) =>
  error.issues.map(({ path, message }) => `the record's ${path.join('.') || 'form'}: ${message}`).join('; ')

/** A text that says something. */
export const readText = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined)

/** Stores say "no version" as an absent field, null, '' or 'null'. */
const readVersion = (versionId: string | null | undefined) => (versionId === 'null' ? undefined : readText(versionId))

/** One removal that is told twice, by SQS and by EventBridge, has one sequencer: their hex may differ in case. */
const readSequencer = (value: unknown) => {
  const text = Number.isFinite(value) ? String(value) : readText(value)
  return text !== undefined && /^[0-9a-f]+$/i.test(text) ? text.toUpperCase() : text
}

const timeForm = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d(?:\.\d+)?)(Z|[+-]\d\d:?\d\d)?$/

/** A time as stores write it: ISO 8601, by some with a space for the T or without a zone (UTC then); by moto in seconds. */
const readTime = (value: unknown): Date | undefined => {
  if (typeof value === 'number') return realTime(new Date(value * 1000))
  const [, day, time, zone = 'Z'] = timeForm.exec(typeof value === 'string' ? value : '') ?? []
  if (day === undefined || time === undefined || !isDay(day)) return undefined
  return realTime(new Date(`${day}T${time}${zone}`))
}

/** Readers of events take no ISO 8601 but with four digits for the year. */
const [earliest, latest] = [Date.parse('0000-01-01T00:00:00Z'), Date.parse('9999-12-31T23:59:59.999Z')]

const realTime = (moment: Date) => (moment.getTime() >= earliest && moment.getTime() <= latest ? moment : undefined)

/** Date reads February 30 as March 2. */
const isDay = (day: string) =>
  realTime(new Date(`${day}T00:00:00Z`))
    ?.toISOString()
    .startsWith(day) ?? false
