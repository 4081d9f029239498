import type { SQSClient } from '@aws-sdk/client-sqs'

import type { MessageQueue, ReceiveOptions } from '#shared/ports/message-queue.ts'
import { group } from '#shared/runtime/group.ts'

import { awsFailure } from '../aws/failures.ts'
import { batchLimits, sendBatchTwice } from './batch.ts'
import { readMessages, sizeOfEntry, writeMessage } from './messages.ts'
import { pingQueue } from './ping.ts'
import { openQueueCalls, type QueueAction } from './queue-calls.ts'

/**
 * Deletes are paid by the request and hurry nobody: while messages come quickly, one delete waits so long for others to
 * share a request with. At 200 messages/s or more that fills every request.
 */
const gatherMs = 50

/** One queue. Calls on many messages at once share requests of up to ten. */
export const sqsMessageQueue = ({ client, queueUrl }: { client: SQSClient; queueUrl: string }): MessageQueue => {
  const call = openQueueCalls(client, queueUrl)
  const failure = (about: string, error: unknown) => awsFailure('SQS', `${about} ${queueUrl}`, error)

  const receive = async ({ max, waitSeconds, visibilitySeconds, signal }: ReceiveOptions) => {
    const input = {
      MaxNumberOfMessages: max,
      WaitTimeSeconds: waitSeconds,
      VisibilityTimeout: visibilitySeconds,
      MessageSystemAttributeNames: ['ApproximateReceiveCount', 'SentTimestamp', 'MessageGroupId'],
      MessageAttributeNames: ['All'],
    }
    try {
      return readMessages(await call('ReceiveMessage', input, signal))
    } catch (error) {
      if (signal.aborted) return []
      throw failure('receiving from', error)
    }
  }

  const batchOf = (action: QueueAction, about: string) => {
    const send = (Entries: readonly object[]) => call(action, { Entries })
    const batch = { send, failure: (error: unknown) => failure(about, error) }
    return (entries: readonly object[]) => sendBatchTwice(entries, batch)
  }
  const remove = group({
    send: batchOf('DeleteMessageBatch', 'acknowledging to'),
    ...batchLimits,
    maxInFlight: 4,
    gatherMs,
  })
  const hide = group({
    send: batchOf('ChangeMessageVisibilityBatch', 'extending a message of'),
    ...batchLimits,
    maxInFlight: 4,
  })
  // One batch at a time keeps the order of a FIFO queue's messages.
  const put = group({ send: batchOf('SendMessageBatch', 'sending to'), ...batchLimits, sizeOf: sizeOfEntry })

  return {
    receive,
    acknowledge: async ({ receipt }) => remove({ ReceiptHandle: receipt }),
    extend: async ({ receipt }, visibilitySeconds) =>
      hide({ ReceiptHandle: receipt, VisibilityTimeout: visibilitySeconds }),
    send: async (message) => put(writeMessage(message)),
    ping: (signal) => pingQueue(client, queueUrl, signal),
  }
}
