import type { QueueDepth } from './deliveries.ts'
import { sqsError } from './errors.ts'
import type { Queue } from './queues.ts'

/** A queue's attributes as GetQueueAttributes names them, those that `wanted` asks for. */
export const describeQueue = (queue: Queue, depth: QueueDepth, wanted: readonly string[]): Record<string, string> => {
  const all: Record<string, string> = {
    ...queue.attributes,
    QueueArn: queue.arn,
    CreatedTimestamp: String(Math.floor(queue.createdMs / 1000)),
    LastModifiedTimestamp: String(Math.floor(queue.modifiedMs / 1000)),
    ApproximateNumberOfMessages: String(depth.visible),
    ApproximateNumberOfMessagesNotVisible: String(depth.inFlight),
    ApproximateNumberOfMessagesDelayed: String(depth.delayed),
  }
  if (wanted.includes('All')) return all
  const unknown = wanted.find((name) => !known.has(name))
  if (unknown !== undefined) throw sqsError('InvalidAttributeName', `Unknown Attribute ${unknown}.`)
  return Object.fromEntries(Object.entries(all).filter(([name]) => wanted.includes(name)))
}

const known = new Set(
  `Policy VisibilityTimeout MaximumMessageSize MessageRetentionPeriod ApproximateNumberOfMessages
  ApproximateNumberOfMessagesNotVisible CreatedTimestamp LastModifiedTimestamp QueueArn
  ApproximateNumberOfMessagesDelayed DelaySeconds ReceiveMessageWaitTimeSeconds RedrivePolicy FifoQueue
  ContentBasedDeduplication KmsMasterKeyId KmsDataKeyReusePeriodSeconds DeduplicationScope FifoThroughputLimit
  RedriveAllowPolicy SqsManagedSseEnabled`.split(/\s+/),
)
