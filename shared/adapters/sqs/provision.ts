import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  QueueDoesNotExist,
  SetQueueAttributesCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs'

import type { QueueSpec } from '#shared/domain/resources.ts'

import { awsFailure } from '../aws/failures.ts'

export type ProvisionedQueue = { url: string; arn: string }
export type ProvisionedQueues = { queues: ReadonlyMap<string, ProvisionedQueue>; changes: string[] }

/**
 * Makes the queues as the specs say, in their order (a queue's dead-letter queue stands before it). What is right already
 * is left alone. `changes` says what was done, one sentence each.
 */
export const provisionQueues = async (client: SQSClient, specs: readonly QueueSpec[]): Promise<ProvisionedQueues> => {
  const queues = new Map<string, ProvisionedQueue>()
  const changes: string[] = []
  for (const spec of specs) {
    try {
      queues.set(spec.name, await provisionQueue(client, spec, queues, changes))
    } catch (error) {
      throw awsFailure('SQS', `making the queue ${spec.name}`, error)
    }
  }
  return { queues, changes }
}

const provisionQueue = async (
  client: SQSClient,
  spec: QueueSpec,
  earlier: ReadonlyMap<string, ProvisionedQueue>,
  changes: string[],
): Promise<ProvisionedQueue> => {
  const url = (await findQueue(client, spec.name)) ?? (await createQueue(client, spec, changes))
  const answer = await client.send(new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['All'] }))
  const present: Record<string, string> = answer.Attributes ?? {}
  const arn = present['QueueArn'] ?? ''
  const wanted = attributesOf(spec, arn, earlier)
  const wrong = Object.entries(wanted).filter(([name, value]) => !sameAttribute(value, present[name]))
  if (wrong.length > 0) {
    await client.send(new SetQueueAttributesCommand({ QueueUrl: url, Attributes: Object.fromEntries(wrong) }))
    changes.push(`queue ${spec.name}: set ${wrong.map(([name]) => name).join(', ')}`)
  }
  return { url, arn }
}

const findQueue = async (client: SQSClient, name: string) => {
  try {
    return (await client.send(new GetQueueUrlCommand({ QueueName: name }))).QueueUrl
  } catch (error) {
    if (error instanceof QueueDoesNotExist) return undefined
    throw error
  }
}

const createQueue = async (client: SQSClient, spec: QueueSpec, changes: string[]) => {
  const Attributes = spec.fifo ? { FifoQueue: 'true' } : {}
  const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName: spec.name, Attributes }))
  if (QueueUrl === undefined) throw new Error('SQS created a queue and did not say where')
  changes.push(`queue ${spec.name}: created`)
  return QueueUrl
}

const attributesOf = (spec: QueueSpec, arn: string, earlier: ReadonlyMap<string, ProvisionedQueue>) => {
  const { deadLetters, notifiedBy } = spec
  const deadLetterTargetArn = deadLetters && earlier.get(deadLetters.queue)?.arn
  return {
    MessageRetentionPeriod: String(spec.retentionSeconds),
    VisibilityTimeout: String(spec.visibilitySeconds),
    ...(deadLetters
      ? { RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount: deadLetters.maxReceives }) }
      : {}),
    ...(notifiedBy ? { Policy: JSON.stringify(notificationPolicy(arn, notifiedBy)) } : {}),
  }
}

/** Source: Amazon S3 User Guide, "Granting permissions to publish event notification messages to a destination". */
const notificationPolicy = (queueArn: string, bucket: string) => ({
  Version: '2012-10-17',
  Statement: [
    {
      Sid: 'bucket-notifications',
      Effect: 'Allow',
      Principal: { Service: 's3.amazonaws.com' },
      Action: 'sqs:SendMessage',
      Resource: queueArn,
      Condition: {
        ArnLike: { 'aws:SourceArn': `arn:aws:s3:::${bucket}` },
        StringEquals: { 'aws:SourceAccount': queueArn.split(':')[4] ?? '' },
      },
    },
  ],
})

/** Queues give policies back with other spacing, and numbers as strings. */
const sameAttribute = (wanted: string, present: string | undefined) =>
  present !== undefined && (wanted === present || canonical(wanted) === canonical(present))

const canonical = (text: string) => {
  if (!text.startsWith('{')) return text
  return JSON.stringify(JSON.parse(text), (_, value: unknown) =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : typeof value === 'number'
        ? String(value)
        : value,
  )
}
