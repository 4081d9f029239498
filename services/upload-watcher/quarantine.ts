import { given } from '#shared/domain/given.ts'
import { redriveCountName } from '#shared/domain/redrive.ts'
import { RefusalError } from '#shared/ports/failures.ts'
import type { MessageQueue, QueueMessage } from '#shared/ports/message-queue.ts'

/** A part of a message that can't be settled. */
export type Unsettled = {
  /** As a message of its own; undefined when it is the whole message as it came. */
  raw: unknown
  /** Why, as a sentence. */
  detail: string
}

/**
 * Stores what can't be settled of one message, in one message: there may be a hundred thousand of them. A queue that may
 * hold no more than this one gets the message as it came.
 * @throws OutageError, SetupError, RefusalError when the queue takes not even that
 */
export const storeQuarantine = async (
  quarantine: Pick<MessageQueue, 'send'>,
  message: QueueMessage,
  unsettled: readonly Unsettled[],
): Promise<void> => {
  const body = writeBody(unsettled.map(({ raw }) => raw)) ?? message.body
  // Without it a message could go round between quarantine and redrive for ever.
  const count = given({ [redriveCountName]: message.attributes[redriveCountName] })
  const told = { reason: attributeText(describeReasons(unsettled)), 'source-message-id': message.id }
  try {
    await quarantine.send({ body, attributes: fits(body) ? { ...told, ...count } : count })
  } catch (error) {
    if (!(error instanceof RefusalError)) throw error
    await quarantine.send({ body: message.body, attributes: count })
  }
}

/** SQS's limit for the body and all attributes. */
const maxMessageBytes = 1_048_576
/** More than ours have, with their names and types. */
const maxAttributeBytes = 1_400

/** A body that came without attributes may leave no room for them. */
const fits = (body: string) => Buffer.byteLength(body) <= maxMessageBytes - maxAttributeBytes

/** Undefined when the message as it came must do: nothing of it could be read, or it can't be written shorter. */
const writeBody = (raws: readonly unknown[]): string | undefined => {
  const joined = raws.length === 1 ? raws[0] : joinRecords(raws)
  const text = joined === undefined ? undefined : writeJson(joined)
  return text !== undefined && fits(text) ? text : undefined
}

/** Of the forms of a message only S3's own holds several records. */
const joinRecords = (raws: readonly unknown[]): unknown => {
  const Records: unknown[] = []
  for (const raw of raws) {
    if (typeof raw !== 'object' || raw === null || !('Records' in raw) || !Array.isArray(raw.Records)) return undefined
    Records.push(...(raw.Records as unknown[])) // of any kind: they are not read here
  }
  return { Records }
}

/**
 * Undefined for what is nested more deeply than JSON.stringify can follow: it may recurse where JSON.parse does not. Of the
 * characters that SQS refuses it escapes all but two.
 */
const writeJson = (value: unknown): string | undefined => {
  try {
    return JSON.stringify(value).replaceAll('\ufffe', '\\ufffe').replaceAll('\uffff', '\\uffff')
  } catch {
    return undefined
  }
}

const maxReasons = 5

export const describeReasons = (unsettled: readonly Unsettled[]): string => {
  const reasons = [...new Set(unsettled.map(({ detail }) => detail))]
  const more = reasons.length > maxReasons ? [`and ${reasons.length - maxReasons} other reasons`] : []
  return [...reasons.slice(0, maxReasons), ...more].join('; ')
}

/** SQS attributes are strings without control characters, and count towards the message's size. */
const attributeText = (text: string) => text.replace(/[^\x20-\x7e]/g, '?').slice(0, 1000)
