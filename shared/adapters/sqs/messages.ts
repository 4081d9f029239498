import { z } from 'zod'

import { given } from '#shared/domain/given.ts'
import { RefusalError } from '#shared/ports/failures.ts'
import type { NewMessage, QueueMessage } from '#shared/ports/message-queue.ts'

const messageSchema = z.object({
  MessageId: z.string().optional(),
  ReceiptHandle: z.string().optional(),
  Body: z.string().optional(),
  Attributes: z.record(z.string(), z.coerce.string()).nullish(),
  MessageAttributes: z.record(z.string(), z.object({ StringValue: z.string().nullish() })).nullish(),
})

const answerSchema = z.object({ Messages: z.array(messageSchema).nullish() })

/** What an answer to ReceiveMessage hands out. @throws ZodError when it can't be read */
export const readMessages = (answer: unknown): QueueMessage[] =>
  (answerSchema.parse(answer).Messages ?? []).flatMap(readMessage)

const readMessage = (message: z.infer<typeof messageSchema>): QueueMessage[] => {
  const { MessageId, ReceiptHandle, Body, Attributes, MessageAttributes } = message
  // SQS never sends a message without these; one that lacks them could not be acknowledged.
  if (MessageId === undefined || ReceiptHandle === undefined || Body === undefined) return []
  const attributes: Record<string, string> = {}
  for (const [name, { StringValue }] of Object.entries(MessageAttributes ?? {})) {
    if (typeof StringValue === 'string') attributes[name] = StringValue
  }
  return [
    {
      id: MessageId,
      receipt: ReceiptHandle,
      body: Body,
      attributes,
      receiveCount: Number(Attributes?.['ApproximateReceiveCount'] ?? 1),
      sentAt: new Date(Number(Attributes?.['SentTimestamp'] ?? 0)),
      ...given({ group: Attributes?.['MessageGroupId'] }),
    },
  ]
}

/** An entry of SendMessageBatch, but for its id. */
export type MessageEntry = {
  MessageBody: string
  MessageAttributes?: Readonly<Record<string, { DataType: 'String'; StringValue: string }>>
  MessageGroupId?: string
  MessageDeduplicationId?: string
}

export const writeMessage = ({ body, attributes, fifo }: NewMessage): MessageEntry => ({
  MessageBody: body,
  ...(attributes && { MessageAttributes: Object.fromEntries(Object.entries(attributes).map(writeAttribute)) }),
  ...(fifo && { MessageGroupId: fifo.group, MessageDeduplicationId: fifo.deduplicationId }),
})

const writeAttribute = ([name, value]: [string, string]) => {
  if (!sendable.test(value)) throw new RefusalError(`SQS takes no attribute ${name} with ${JSON.stringify(value)}`)
  return [name, { DataType: 'String', StringValue: value }] as const
}

/** Of a body every store refuses the rest, of an attribute not every one does. Source: SQS API reference, SendMessage. */
const sendable = /^[\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]+$/u

/** What counts towards SQS's limit: the body, and each attribute's name, type and value. */
export const sizeOfEntry = ({ MessageBody, MessageAttributes = {} }: MessageEntry): number =>
  Object.entries(MessageAttributes).reduce(
    (sum, [name, { DataType, StringValue }]) => sum + Buffer.byteLength(name + DataType + StringValue),
    Buffer.byteLength(MessageBody),
  )
