import { createHash, randomUUID } from 'node:crypto'

import type { Database } from '../database.ts'
import { maxMessageBytes, numberAttribute } from './attributes.ts'
import { checkCharacters } from './characters.ts'
import { invalidParameter, missingParameter } from './errors.ts'
import { attributeBytes, checkMessageAttributes, type MessageAttributes } from './message-attributes.ts'
import type { Queue } from './queues.ts'

export type NewMessage = {
  body: string
  attributes: MessageAttributes
  delaySeconds?: number | undefined
  /** On top of the seconds; whole milliseconds. */
  extraDelayMs?: number
  groupId?: string | undefined
  deduplicationId?: string | undefined
}
/** `sequence` orders the messages of a FIFO queue. */
export type SentMessage = { messageId: string; sequence: number }

export type Messages = {
  /** Enqueues within a transaction of the caller's; a FIFO repeat gives the first message's ids and enqueues nothing. */
  enqueue: (queue: Queue, message: NewMessage) => SentMessage
}

const deduplicationMs = 5 * 60 * 1000

export const openMessages = (database: Database, now: () => number): Messages => {
  const insert = database.prepare(
    `INSERT INTO messages (queue, message_id, body, attributes, group_id, deduplication_id, sent_ms, visible_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  const forget = database.prepare('DELETE FROM deduplication WHERE expires_ms <= ?')
  const recall = database.prepare<{ message_id: string; sequence: number }>(
    'SELECT message_id, sequence FROM deduplication WHERE queue = ? AND deduplication_id = ?',
  )
  const remember = database.prepare('INSERT INTO deduplication VALUES (?, ?, ?, ?, ?)')

  const insertMessage = (queue: Queue, message: NewMessage, deduplicationId: string | undefined): SentMessage => {
    const { body, attributes, groupId, delaySeconds = numberAttribute(queue.attributes, 'DelaySeconds') } = message
    const messageId = randomUUID()
    const sentMs = now()
    const visibleMs = sentMs + delaySeconds * 1000 + (message.extraDelayMs ?? 0)
    const ids = [groupId ?? null, deduplicationId ?? null]
    const { id } = insert.run(queue.name, messageId, body, JSON.stringify(attributes), ...ids, sentMs, visibleMs)
    return { messageId, sequence: id }
  }

  return {
    enqueue: (queue, message) => {
      if (!queue.isFifo) return insertMessage(queue, message, undefined)
      const deduplicationId = message.deduplicationId ?? sha256(message.body)
      const scope = queue.attributes['DeduplicationScope'] === 'messageGroup' ? `${message.groupId ?? ''} ` : ''
      forget.run(now())
      const known = recall.get(queue.name, scope + deduplicationId)
      if (known) return { messageId: known.message_id, sequence: known.sequence }
      const sent = insertMessage(queue, message, deduplicationId)
      remember.run(queue.name, scope + deduplicationId, sent.messageId, sent.sequence, now() + deduplicationMs)
      return sent
    },
  }
}

const idPattern = /^[!-~]{1,128}$/

/** @throws AwsError for a message that this queue would not take */
export const checkMessage = (queue: Queue, message: NewMessage): void => {
  if (message.body === '') throw missingParameter('MessageBody')
  checkCharacters(message.body)
  checkMessageAttributes(message.attributes)
  const maxBytes = Math.min(maxMessageBytes, numberAttribute(queue.attributes, 'MaximumMessageSize'))
  if (messageBytes(message) > maxBytes)
    throw invalidParameter(
      `One or more parameters are invalid. Reason: Message must be shorter than ${maxBytes} bytes.`,
    )
  checkDelay(queue, message.delaySeconds)
  checkIds(queue, message)
}

export const messageBytes = ({ body, attributes }: NewMessage): number =>
  Buffer.byteLength(body) + attributeBytes(attributes)

const checkDelay = ({ isFifo }: Queue, delaySeconds: number | undefined): void => {
  if (delaySeconds === undefined) return
  const invalid = (reason: string) =>
    invalidParameter(`Value ${delaySeconds} for parameter DelaySeconds is invalid. Reason: ${reason}`)
  if (isFifo && delaySeconds !== 0)
    throw invalid('The request include parameter that is not valid for this queue type.')
  if (delaySeconds < 0 || delaySeconds > 900) throw invalid('DelaySeconds must be >= 0 and <= 900.')
}

const checkIds = (queue: Queue, { groupId, deduplicationId }: NewMessage): void => {
  const named = { MessageGroupId: groupId, MessageDeduplicationId: deduplicationId }
  for (const [name, value] of Object.entries(named))
    if (value !== undefined && !idPattern.test(value))
      throw invalidParameter(
        `Value ${value} for parameter ${name} is invalid. Reason: ${name} can only include alphanumeric and punctuation characters. 1 to 128 in length.`,
      )
  if (!queue.isFifo) {
    if (deduplicationId !== undefined)
      throw invalidParameter(
        `Value ${deduplicationId} for parameter MessageDeduplicationId is invalid. Reason: The request include parameter that is not valid for this queue type.`,
      )
    return
  }
  if (groupId === undefined) throw missingParameter('MessageGroupId')
  if (deduplicationId === undefined && queue.attributes['ContentBasedDeduplication'] !== 'true')
    throw invalidParameter(
      'The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly',
    )
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** Twenty digits, as SQS writes it. */
export const sequenceNumber = (sequence: number): string => String(sequence).padStart(20, '0')
