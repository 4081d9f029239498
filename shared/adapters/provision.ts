import type { S3Client } from '@aws-sdk/client-s3'
import type { SQSClient } from '@aws-sdk/client-sqs'

import type { Resources } from '#shared/domain/resources.ts'
import { SetupError } from '#shared/ports/failures.ts'

import { provisionBuckets } from './s3/provision.ts'
import { provisionQueues } from './sqs/provision.ts'

type Clients = { s3: S3Client; sqs: SQSClient; region: string }
type Wanted = Pick<Resources, 'buckets' | 'queues'>

export type Provisioned = {
  /** One sentence each; empty when all was right already. */
  changes: string[]
  /** @throws SetupError when the table names no such queue */
  queueUrl: (name: string) => string
}

/** Makes queues, then the buckets that notify them, as the resources table says. Idempotent. */
export const provision = async (clients: Clients, resources: Wanted): Promise<Provisioned> => {
  const { changes, find } = await apply(clients, resources, false)
  const queueUrl = (name: string) => {
    const { url } = find(name)
    if (url === undefined) throw new SetupError(`SQS made the queue ${name} and did not say where`)
    return url
  }
  return { changes, queueUrl }
}

/** What `provision` would do, one sentence each. Changes nothing. */
export const planProvision = async (clients: Clients, resources: Wanted): Promise<string[]> =>
  (await apply(clients, resources, true)).changes

const apply = async ({ s3, sqs, region }: Clients, resources: Wanted, dryRun: boolean) => {
  const { queues, changes } = await provisionQueues({ client: sqs, dryRun }, resources.queues)
  const find = (name: string) => {
    const queue = queues.get(name)
    if (!queue) throw new SetupError(`the resources table names no queue ${name}`)
    return queue
  }
  const options = { client: s3, region, queueArn: (name: string) => find(name).arn, dryRun }
  return { changes: await provisionBuckets(options, resources.buckets, changes), find }
}
