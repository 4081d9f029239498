import {
  ChangeMessageVisibilityCommand,
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  type Message,
  type MessageAttributeValue,
  type SQSClient,
} from '@aws-sdk/client-sqs'

import { given } from '#shared/domain/given.ts'
import type { MessageQueue, QueueMessage, ReceiveOptions } from '#shared/ports/message-queue.ts'
import { group } from '#shared/runtime/group.ts'

import { awsFailure } from '../aws/failures.ts'
import { settleBatch } from './batch.ts'
import { pingQueue } from './ping.ts'

/** One queue by the AWS SDK. Acknowledgements of many messages share DeleteMessageBatch calls. */
export const sqsMessageQueue = ({ client, queueUrl }: { client: SQSClient; queueUrl: string }): MessageQueue => {
  const failure = (about: string, error: unknown) => awsFailure('SQS', `${about} ${queueUrl}`, error)

  const receive = async ({ max, waitSeconds, visibilitySeconds, signal }: ReceiveOptions) => {
    const command = new ReceiveMessageCommand({
      QueueUrl: queueUrl,
      MaxNumberOfMessages: max,
      WaitTimeSeconds: waitSeconds,
      VisibilityTimeout: visibilitySeconds,
      MessageSystemAttributeNames: ['ApproximateReceiveCount', 'SentTimestamp', 'MessageGroupId'],
      MessageAttributeNames: ['All'],
    })
    try {
      const answer = await client.send(command, { abortSignal: signal })
      return (answer.Messages ?? []).flatMap(describe)
    } catch (error) {
      if (signal.aborted) return []
      throw failure('receiving from', error)
    }
  }

  const acknowledge = group<QueueMessage, undefined>({
    maxItems: 10,
    maxInFlight: 4,
    send: async (messages) => {
      const Entries = messages.map(({ receipt }, index) => ({ Id: String(index), ReceiptHandle: receipt }))
      try {
        return settleBatch(
          messages.length,
          await client.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries })),
        )
      } catch (error) {
        throw failure('acknowledging to', error)
      }
    },
  })

  const extend = async ({ receipt }: QueueMessage, visibilitySeconds: number) => {
    const input = { QueueUrl: queueUrl, ReceiptHandle: receipt, VisibilityTimeout: visibilitySeconds }
    try {
      await client.send(new ChangeMessageVisibilityCommand(input))
    } catch (error) {
      throw failure('extending a message of', error)
    }
  }

  const send: MessageQueue['send'] = async ({ body, attributes = {}, fifo }) => {
    const MessageAttributes = Object.fromEntries(Object.entries(attributes).map(toAttribute))
    const order = fifo && { MessageGroupId: fifo.group, MessageDeduplicationId: fifo.deduplicationId }
    try {
      await client.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: body, MessageAttributes, ...order }))
    } catch (error) {
      throw failure('sending to', error)
    }
  }

  return {
    receive,
    acknowledge: async (message) => acknowledge(message),
    extend,
    send,
    ping: (signal) => pingQueue(client, queueUrl, signal),
  }
}

const describe = (message: Message): QueueMessage[] => {
  const { MessageId, ReceiptHandle, Body, Attributes = {}, MessageAttributes = {} } = message
  // SQS never sends a message without these; one that lacks them could not be acknowledged.
  if (MessageId === undefined || ReceiptHandle === undefined || Body === undefined) return []
  return [
    {
      id: MessageId,
      receipt: ReceiptHandle,
      body: Body,
      attributes: Object.fromEntries(
        Object.entries(MessageAttributes).flatMap(([name, { StringValue }]) =>
          StringValue === undefined ? [] : [[name, StringValue]],
        ),
      ),
      receiveCount: Number(Attributes.ApproximateReceiveCount ?? 1),
      sentAt: new Date(Number(Attributes.SentTimestamp ?? 0)),
      ...given({ group: Attributes.MessageGroupId }),
    },
  ]
}

const toAttribute = ([name, value]: [string, string]): [string, MessageAttributeValue] => [
  name,
  { DataType: 'String', StringValue: value },
]
