import { z } from 'zod'

import { readS3Event } from './notifications/event-bridge.ts'
import { readR2Message } from './notifications/r2-message.ts'
import { anything, type ReadRecord } from './notifications/record.ts'
import { readS3Record } from './notifications/s3-record.ts'

export type { NotificationRecord, ReadRecord, RemovalRecord } from './notifications/record.ts'

/** A message of the uploads queue: records, S3's test event, or something that can't be read. */
export type Notification =
  { kind: 'records'; records: ReadRecord[] } | { kind: 'test' } | { kind: 'unreadable'; reason: string }

/** The fields that tell a message's form. */
const formSchema = z.object({
  Records: anything,
  Event: anything,
  Type: anything,
  Message: anything,
  'detail-type': anything,
  source: anything,
  action: anything,
})
type Form = z.infer<typeof formSchema>

/**
 * Reads a message's body: a notification of S3 or of a store that speaks its protocol, plain, in an SNS envelope, or as an
 * event of EventBridge. Total: whatever the text is, there is an answer.
 * Sources: Amazon S3 User Guide, "Amazon S3 Event Notifications"; Amazon SNS Developer Guide, "Parsing message formats".
 */
export const parseNotification = (body: string): Notification => readMessage(body, 0)

/** Topics may be chained once; beyond that nobody unpacks. */
const maxEnvelopes = 2

const readMessage = (text: string, envelopes: number): Notification => {
  const json = parseJson(text)
  if (!json.ok) return unreadable(envelopes, 'is not JSON')
  const form = formSchema.safeParse(json.value).data
  if (!form) return unreadable(envelopes, 'is not a JSON object')
  if (Array.isArray(form.Records) && form.Records.length > 0) return records(form.Records.map(readS3Record))
  if (form.Event === 's3:TestEvent') return { kind: 'test' }
  if (typeof form.Type === 'string') return readEnvelope(form.Type, form.Message, envelopes)
  if (typeof form['detail-type'] === 'string') return readEvent(form, json.value, envelopes)
  if (typeof form.action === 'string') return records([readR2Message(json.value)])
  const missing = Array.isArray(form.Records) ? 'has no record in its list of Records' : 'has no list of Records'
  return unreadable(envelopes, `${missing}, and is no event of EventBridge`)
}

const records = (all: ReadRecord[]): Notification => ({ kind: 'records', records: all })

const unreadable = (envelopes: number, problem: string): Notification => ({
  kind: 'unreadable',
  reason: `${envelopes > 0 ? 'the message inside the SNS envelope' : 'the message'} ${problem}`,
})

const readEnvelope = (type: string, message: unknown, envelopes: number): Notification => {
  if (type === 'SubscriptionConfirmation') {
    return unreadable(envelopes, 'asks to confirm an SNS subscription of this queue: open its SubscribeURL')
  }
  if (type === 'UnsubscribeConfirmation') {
    return unreadable(envelopes, 'says that an SNS subscription of this queue has ended: its SubscribeURL restores it')
  }
  if (type !== 'Notification' || typeof message !== 'string') {
    return unreadable(envelopes, 'has a Type, but is no notification of SNS with a Message')
  }
  if (envelopes === maxEnvelopes) return unreadable(envelopes, `lies in more than ${maxEnvelopes} SNS envelopes`)
  return readMessage(message, envelopes + 1)
}

const readEvent = ({ source }: Form, event: unknown, envelopes: number): Notification => {
  if (source === 'aws.s3') return records([readS3Event(event)])
  const named = typeof source === 'string' ? JSON.stringify(source.slice(0, 100)) : 'an unnamed source'
  return unreadable(envelopes, `is an EventBridge event of ${named}, not of aws.s3`)
}

/** Tools that write files put a byte order mark before the text, and such a file may be sent again. */
const parseJson = (text: string): { ok: true; value: unknown } | { ok: false } => {
  try {
    return { ok: true, value: JSON.parse(text.startsWith('\ufeff') ? text.slice(1) : text) as unknown }
  } catch {
    return { ok: false }
  }
}
