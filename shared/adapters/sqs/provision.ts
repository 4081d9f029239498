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

/** Both are undefined where a dry run found no queue. */
export type ProvisionedQueue = { url: string | undefined; arn: string | undefined }
export type ProvisionedQueues = { queues: ReadonlyMap<string, ProvisionedQueue>; changes: string[] }

type Options = { client: SQSClient; dryRun: boolean }

/**
 * Makes the queues as the specs say, in their order (a queue's dead-letter queue stands before it). What is right already
 * is left alone. `changes` says what was done, one sentence each; a dry run does nothing and says what would be.
 */
export const provisionQueues = async (options: Options, specs: readonly QueueSpec[]): Promise<ProvisionedQueues> => {
  const queues = new Map<string, ProvisionedQueue>()
  const changes: string[] = []
  for (const spec of specs) {
    try {
      queues.set(spec.name, await provisionQueue(options, spec, queues, changes))
    } catch (error) {
      throw awsFailure('SQS', `making the queue ${spec.name}`, error)
    }
  }
  return { queues, changes }
}

const provisionQueue = async (
  { client, dryRun }: Options,
  spec: QueueSpec,
  earlier: ReadonlyMap<string, ProvisionedQueue>,
  changes: string[],
): Promise<ProvisionedQueue> => {
  const found = await findQueue(client, spec.name)
  if (found === undefined) changes.push(`queue ${spec.name}: ${dryRun ? 'would be created' : 'created'}`)
  const url = found ?? (dryRun ? undefined : await createQueue(client, spec))
  const present = url === undefined ? {} : await readAttributes(client, url)
  const arn = present['QueueArn']
  const wanted = attributesOf(spec, arn ?? '', earlier)
  const wrong = Object.entries(wanted).filter(([name, value]) => !sameAttribute(value, present[name]))
  if (wrong.length === 0) return { url, arn }
  if (!dryRun)
    await client.send(new SetQueueAttributesCommand({ QueueUrl: url, Attributes: Object.fromEntries(wrong) }))
  const names = wrong.map(([name]) => name).join(', ')
  changes.push(`queue ${spec.name}: ${dryRun ? 'would set' : 'set'} ${names}`)
  return { url, arn }
}

const readAttributes = async (client: SQSClient, QueueUrl: string): Promise<Record<string, string>> =>
  (await client.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }))).Attributes ?? {}

const findQueue = async (client: SQSClient, name: string) => {
  try {
    return (await client.send(new GetQueueUrlCommand({ QueueName: name }))).QueueUrl
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

/** Stores that answer in the older protocol give it its older name. */
const isMissing = (error: unknown) =>
  error instanceof QueueDoesNotExist ||
  (error instanceof Error && error.name === 'AWS.SimpleQueueService.NonExistentQueue')

const createQueue = async (client: SQSClient, spec: QueueSpec) => {
  const Attributes = spec.fifo ? { FifoQueue: 'true' } : {}
  const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName: spec.name, Attributes }))
  if (QueueUrl === undefined) throw new Error('SQS created a queue and did not say where')
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
