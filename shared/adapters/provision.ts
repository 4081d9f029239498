import type { S3Client } from '@aws-sdk/client-s3'
import type { SQSClient } from '@aws-sdk/client-sqs'

import type { Resources } from '#shared/domain/resources.ts'
import { SetupError } from '#shared/ports/failures.ts'

import { provisionBuckets } from './s3/provision.ts'
import { provisionQueues } from './sqs/provision.ts'

export type Provisioned = {
  /** One sentence each; empty when all was right already. */
  changes: string[]
  queueUrl: (name: string) => string
}

/** Makes queues, then the buckets that notify them, as the resources table says. Idempotent. */
export const provision = async (
  { s3, sqs, region }: { s3: S3Client; sqs: SQSClient; region: string },
  resources: Pick<Resources, 'buckets' | 'queues'>,
): Promise<Provisioned> => {
  const { queues, changes } = await provisionQueues(sqs, resources.queues)
  const find = (name: string) => {
    const queue = queues.get(name)
    if (!queue) throw new SetupError(`the resources table names no queue ${name}`)
    return queue
  }
  const bucketChanges = await provisionBuckets(
    { client: s3, region, queueArn: (name) => find(name).arn },
    resources.buckets,
  )
  return { changes: [...changes, ...bucketChanges], queueUrl: (name) => find(name).url }
}
