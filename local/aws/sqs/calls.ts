import { createHash } from 'node:crypto'

import type { z } from 'zod'

import { maxMessageBytes } from './attributes.ts'
import { runBatch } from './batch.ts'
import { invalidParameter, sqsError } from './errors.ts'
import * as inputs from './inputs.ts'
import { md5OfAttributes } from './message-attributes.ts'
import { checkMessage, messageBytes, type NewMessage, sequenceNumber } from './messages.ts'
import { accountId, type Queue } from './queues.ts'
import { describeQueue } from './describe.ts'
import { openReceive } from './receive.ts'
import type { SqsStores } from './stores.ts'

/** `baseUrl` is how the caller reached us; `gone` fires when the caller is no longer there to be answered. */
export type CallContext = { baseUrl: string; gone: AbortSignal }
export type Call = (input: unknown, context: CallContext) => object | Promise<object>

/** The calls of the SQS API that are built, by name. */
export const openCalls = (stores: SqsStores, now: () => number): ReadonlyMap<string, Call> => {
  const { database, queues, messages, deliveries, receipts, waiting } = stores
  const receive = openReceive(stores, now)

  const queueOf = ({ QueueUrl }: { QueueUrl: string }): Queue => {
    const queue = queues.find(new RegExp(`/${accountId}/([\\w.-]+)/?$`).exec(QueueUrl)?.[1] ?? '')
    if (!queue) throw sqsError('QueueDoesNotExist', 'The specified queue does not exist.')
    return queue
  }
  const urlOf = ({ baseUrl }: CallContext, name: string) => `${baseUrl}/${accountId}/${name}`
  const send = (queue: Queue, input: inputs.MessageInput): object => {
    const message = newMessage(input)
    checkMessage(queue, message)
    const { messageId, sequence } = messages.enqueue(queue, message)
    return {
      MessageId: messageId,
      MD5OfMessageBody: md5(message.body),
      MD5OfMessageAttributes: md5OfAttributes(message.attributes),
      SequenceNumber: queue.isFifo ? sequenceNumber(sequence) : undefined,
    }
  }
  const remove = (queue: Queue, handle: string): object => {
    deliveries.acknowledge(queue, receipts.parse(queue.name, handle))
    return {}
  }
  const changeVisibility = (queue: Queue, handle: string, seconds: number): object => {
    if (seconds < 0 || seconds > 43_200)
      throw invalidParameter(
        `Value ${seconds} for parameter VisibilityTimeout is invalid. Reason: VisibilityTimeout must be an integer between 0 and 43200.`,
      )
    deliveries.changeVisibility(queue, receipts.parse(queue.name, handle), seconds)
    return {}
  }
  /** Runs `work` on the queue that the input names, then wakes who waits for it. */
  const onQueue =
    <Input extends { QueueUrl: string }>(
      schema: z.ZodType<Input>,
      work: (queue: Queue, input: Input) => object | Promise<object>,
    ): Call =>
    async (raw) => {
      const input = inputs.parseInput(schema, raw)
      const queue = queueOf(input)
      const answer = await work(queue, input)
      waiting.wake(queue.name)
      return answer
    }

  return new Map<string, Call>([
    [
      'CreateQueue',
      (raw, context) => {
        const { QueueName, Attributes } = inputs.parseInput(inputs.createQueueInput, raw)
        queues.create(QueueName, Attributes)
        return { QueueUrl: urlOf(context, QueueName) }
      },
    ],
    [
      'GetQueueUrl',
      (raw, context) => {
        const { QueueName } = inputs.parseInput(inputs.getQueueUrlInput, raw)
        if (!queues.find(QueueName)) throw sqsError('QueueDoesNotExist', 'The specified queue does not exist.')
        return { QueueUrl: urlOf(context, QueueName) }
      },
    ],
    [
      'ListQueues',
      (raw, context) => {
        const { QueueNamePrefix, MaxResults = 1000, NextToken = '' } = inputs.parseInput(inputs.listQueuesInput, raw)
        const rest = queues.names(QueueNamePrefix).filter((name) => name > NextToken)
        const page = rest.slice(0, MaxResults)
        return {
          QueueUrls: page.map((name) => urlOf(context, name)),
          NextToken: rest.length > page.length ? page.at(-1) : undefined,
        }
      },
    ],
    [
      'ListDeadLetterSourceQueues',
      (raw, context) => {
        const queue = queueOf(inputs.parseInput(inputs.queueInput, raw))
        return { queueUrls: queues.deadLetterSources(queue).map((name) => urlOf(context, name)) }
      },
    ],
    ['DeleteQueue', onQueue(inputs.queueInput, (queue) => (queues.remove(queue), {}))],
    ['PurgeQueue', onQueue(inputs.queueInput, (queue) => (queues.purge(queue), {}))],
    [
      'GetQueueAttributes',
      (raw) => {
        const input = inputs.parseInput(inputs.getAttributesInput, raw)
        const queue = queueOf(input)
        return { Attributes: describeQueue(queue, deliveries.depth(queue), input.AttributeNames) }
      },
    ],
    [
      'SetQueueAttributes',
      onQueue(inputs.setAttributesInput, (queue, { Attributes }) => (queues.change(queue, Attributes), {})),
    ],
    ['SendMessage', onQueue(inputs.sendInput, (queue, input) => database.share(() => send(queue, input)))],
    [
      'SendMessageBatch',
      onQueue(inputs.sendBatchInput, (queue, { Entries }) => {
        if (Entries.reduce((sum, entry) => sum + messageBytes(newMessage(entry)), 0) > maxMessageBytes)
          throw sqsError('BatchRequestTooLong', `Batch requests cannot be longer than ${maxMessageBytes} bytes.`)
        return database.share(() => runBatch(Entries, (entry) => send(queue, entry)))
      }),
    ],
    [
      'ReceiveMessage',
      (raw, { gone }) => {
        const input = inputs.parseInput(inputs.receiveInput, raw)
        return receive(() => queueOf(input), input, gone)
      },
    ],
    ['DeleteMessage', onQueue(inputs.deleteInput, (queue, { ReceiptHandle }) => remove(queue, ReceiptHandle))],
    [
      'DeleteMessageBatch',
      onQueue(inputs.deleteBatchInput, (queue, { Entries }) =>
        database.share(() => runBatch(Entries, ({ ReceiptHandle }) => remove(queue, ReceiptHandle))),
      ),
    ],
    [
      'ChangeMessageVisibility',
      onQueue(inputs.visibilityInput, (queue, input) =>
        changeVisibility(queue, input.ReceiptHandle, input.VisibilityTimeout),
      ),
    ],
    [
      'ChangeMessageVisibilityBatch',
      onQueue(inputs.visibilityBatchInput, (queue, { Entries }) =>
        runBatch(Entries, (entry) => changeVisibility(queue, entry.ReceiptHandle, entry.VisibilityTimeout)),
      ),
    ],
  ])
}

const newMessage = (input: inputs.MessageInput): NewMessage => ({
  body: input.MessageBody,
  attributes: input.MessageAttributes,
  delaySeconds: input.DelaySeconds,
  groupId: input.MessageGroupId,
  deduplicationId: input.MessageDeduplicationId,
})

const md5 = (text: string): string => createHash('md5').update(text).digest('hex')
