import { createHash } from 'node:crypto'

import type { z } from 'zod'

import { numberAttribute } from './attributes.ts'
import type { MessageRow } from './deliveries.ts'
import { invalidParameter } from './errors.ts'
import type { receiveInput } from './inputs.ts'
import { md5OfAttributes, type MessageAttributes, pickMessageAttributes } from './message-attributes.ts'
import { sequenceNumber } from './messages.ts'
import { accountId, type Queue } from './queues.ts'
import type { SqsStores } from './stores.ts'

type ReceiveInput = z.infer<typeof receiveInput>
export type Receive = (findQueue: () => Queue, input: ReceiveInput, gone: AbortSignal) => Promise<object>

/**
 * ReceiveMessage with long poll. A caller that has gone takes no message: it is asked right before each take,
 * and taking and answering happen in one go.
 */
export const openReceive = ({ deliveries, receipts, waiting }: SqsStores, now: () => number): Receive => {
  const take = (queue: Queue, input: ReceiveInput): MessageRow[] => {
    const seconds = input.VisibilityTimeout ?? numberAttribute(queue.attributes, 'VisibilityTimeout')
    const rows = deliveries.take(queue, input.MaxNumberOfMessages, seconds)
    if (queue.redrive) waiting.wake(queue.redrive.deadLetterQueue)
    return rows
  }
  return async (findQueue, input, gone) => {
    checkInput(input)
    const waitSeconds =
      input.WaitTimeSeconds ?? numberAttribute(findQueue().attributes, 'ReceiveMessageWaitTimeSeconds')
    const deadline = performance.now() + waitSeconds * 1000
    while (!gone.aborted) {
      const queue = findQueue()
      const rows = take(queue, input)
      const leftMs = deadline - performance.now()
      if (rows.length > 0)
        return { Messages: rows.map((row) => describeMessage(row, input, receipts.issue(queue.name, toReceipt(row)))) }
      if (leftMs <= 0) break
      const untilVisibleMs = Math.max(1, (deliveries.nextVisibleMs(queue) ?? Infinity) - now())
      await waiting.wait(queue.name, Math.min(leftMs, untilVisibleMs), gone)
    }
    return {}
  }
}

const toReceipt = ({ id, receive_count }: MessageRow) => ({ id, receiveCount: receive_count })

const describeMessage = (row: MessageRow, input: ReceiveInput, handle: string): object => {
  // Stored by this service, from attributes that were checked when they were sent.
  const attributes = pickMessageAttributes(JSON.parse(row.attributes) as MessageAttributes, input.MessageAttributeNames)
  const system = pickSystemAttributes(row, [...input.AttributeNames, ...input.MessageSystemAttributeNames])
  return {
    MessageId: row.message_id,
    ReceiptHandle: handle,
    MD5OfBody: createHash('md5').update(row.body).digest('hex'),
    Body: row.body,
    Attributes: Object.keys(system).length > 0 ? system : undefined,
    MD5OfMessageAttributes: md5OfAttributes(attributes),
    MessageAttributes: Object.keys(attributes).length > 0 ? attributes : undefined,
  }
}

const pickSystemAttributes = (row: MessageRow, wanted: readonly string[]): Record<string, string> => {
  const all: Record<string, string | null> = {
    SenderId: accountId,
    SentTimestamp: String(row.sent_ms),
    ApproximateReceiveCount: String(row.receive_count),
    ApproximateFirstReceiveTimestamp: String(row.first_received_ms),
    MessageGroupId: row.group_id,
    MessageDeduplicationId: row.deduplication_id,
    SequenceNumber: row.deduplication_id === null ? null : sequenceNumber(row.id),
    DeadLetterQueueSourceArn: row.dead_letter_source,
  }
  const picked: Record<string, string> = {}
  for (const [name, value] of Object.entries(all))
    if (value !== null && (wanted.includes('All') || wanted.includes(name))) picked[name] = value
  return picked
}

const checkInput = (input: ReceiveInput): void => {
  const check = (name: string, value: number | undefined, min: number, max: number): void => {
    if (value !== undefined && (value < min || value > max))
      throw invalidParameter(
        `Value ${value} for parameter ${name} is invalid. Reason: Must be between ${min} and ${max}, if provided.`,
      )
  }
  check('MaxNumberOfMessages', input.MaxNumberOfMessages, 1, 10)
  check('WaitTimeSeconds', input.WaitTimeSeconds, 0, 20)
  check('VisibilityTimeout', input.VisibilityTimeout, 0, 43_200)
}
