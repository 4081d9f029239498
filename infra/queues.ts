import { Aws, type Stack } from 'aws-cdk-lib'
import { CfnQueue, CfnQueuePolicy } from 'aws-cdk-lib/aws-sqs'

import type { QueueSpec } from '../shared/domain/resources.ts'
import { queueArn } from './names.ts'
import { policy, type Statement } from './statements.ts'

export type MadeQueue = { queue: CfnQueue; policy: CfnQueuePolicy }

/** The queues of the resources table, by name; a queue's dead letters stand before it there. */
export const makeQueues = (stack: Stack, specs: readonly QueueSpec[]): ReadonlyMap<string, MadeQueue> => {
  const made = new Map<string, MadeQueue>()
  for (const spec of specs) made.set(spec.name, makeQueue(stack, spec, { specs, made }))
  return made
}

type Others = { specs: readonly QueueSpec[]; made: ReadonlyMap<string, MadeQueue> }

const makeQueue = (stack: Stack, spec: QueueSpec, { specs, made }: Others): MadeQueue => {
  const id = idOf(spec.name)
  const sources = specs.filter(({ deadLetters }) => deadLetters?.queue === spec.name)
  const queue = new CfnQueue(stack, id, {
    queueName: spec.name,
    messageRetentionPeriod: spec.retentionSeconds,
    visibilityTimeout: spec.visibilitySeconds,
    // S3 can't send to a queue that is encrypted with the key that AWS manages for SQS.
    sqsManagedSseEnabled: true,
    ...(spec.fifo ? highThroughput : {}),
    ...(spec.deadLetters && {
      redrivePolicy: {
        deadLetterTargetArn: findQueue(made, spec.deadLetters.queue).queue.attrArn,
        maxReceiveCount: spec.deadLetters.maxReceives,
      },
    }),
    ...(sources.length > 0 && {
      redriveAllowPolicy: {
        redrivePermission: 'byQueue',
        // By name: the sources are made after it.
        sourceQueueArns: sources.map(({ name }) => queueArn(name)),
      },
    }),
  })
  const statements = [onlyEncrypted(queue.attrArn), ...(spec.notifiedBy ? [fromBucket(queue, spec.notifiedBy)] : [])]
  const queuePolicy = new CfnQueuePolicy(stack, `${id}Policy`, {
    queues: [queue.ref],
    policyDocument: policy(...statements),
  })
  return { queue, policy: queuePolicy }
}

/** @throws when the resources table names no such queue, or a later one */
export const findQueue = (made: ReadonlyMap<string, MadeQueue>, name: string): MadeQueue => {
  const found = made.get(name)
  if (!found) throw new Error(`the resources table names no queue ${name} so far`)
  return found
}

/** Both together: repeats are looked for, and the rate is counted, in each group by itself. A job's group is always the same. */
const highThroughput = { fifoQueue: true, deduplicationScope: 'messageGroup', fifoThroughputLimit: 'perMessageGroupId' }

/** `vision-analysis-jobs.fifo` is `VisionAnalysisJobs`. */
export const idOf = (name: string) =>
  name
    .replace(/\.fifo$/, '')
    .split('-')
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join('')

/** Source: Amazon S3 User Guide, "Granting permissions to publish event notification messages to a destination". */
const fromBucket = (queue: CfnQueue, bucket: string): Statement => ({
  Sid: 'BucketNotifications',
  Effect: 'Allow',
  Principal: { Service: 's3.amazonaws.com' },
  Action: ['sqs:SendMessage'],
  Resource: [queue.attrArn],
  Condition: {
    ArnEquals: { 'aws:SourceArn': `arn:${Aws.PARTITION}:s3:::${bucket}` },
    StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID },
  },
})

const onlyEncrypted = (arn: string): Statement => ({
  Sid: 'OnlyEncrypted',
  Effect: 'Deny',
  Principal: '*',
  Action: ['sqs:*'],
  Resource: [arn],
  Condition: { Bool: { 'aws:SecureTransport': 'false' } },
})
