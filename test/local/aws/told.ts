import type { TestContext } from 'node:test'

import { CreateBucketCommand, type Event, PutBucketNotificationConfigurationCommand } from '@aws-sdk/client-s3'
import { CreateQueueCommand, DeleteMessageCommand, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs'

import type { LocalAwsOptions } from '../../../local/aws/server.ts'
import { openTestAws, region, type TestAws } from './support.ts'

export const Bucket = 'images'
const QueueName = 'uploads'
const everything: Event[] = ['s3:ObjectCreated:*', 's3:ObjectRemoved:*', 's3:LifecycleExpiration:*']

type Queue = { sqs: SQSClient; QueueUrl: string | undefined }
/** One record of a notification, as far as tests look at it. */
export type ToldRecord = {
  eventVersion: string
  eventName: string
  userIdentity: { principalId: string }
  requestParameters: { sourceIPAddress: string }
  s3: { object: { key: string; size?: number; eTag?: string; versionId?: string; sequencer: string } }
}

export const tellQueue = ({ s3 }: Pick<TestAws, 's3'>, Events = everything) =>
  s3.send(
    new PutBucketNotificationConfigurationCommand({
      Bucket,
      NotificationConfiguration: {
        QueueConfigurations: [{ Id: 'all', QueueArn: `arn:aws:sqs:${region}:000000000000:${QueueName}`, Events }],
      },
    }),
  )

/** A bucket that tells a queue of everything that happens in it; the test event is taken out. */
export const openTold = async (
  context: TestContext,
  options: Partial<LocalAwsOptions> = {},
): Promise<TestAws & Queue> => {
  const aws = await openTestAws(context, options)
  await aws.s3.send(new CreateBucketCommand({ Bucket }))
  const { QueueUrl } = await aws.sqs.send(new CreateQueueCommand({ QueueName }))
  await tellQueue(aws)
  await drain({ sqs: aws.sqs, QueueUrl })
  return Object.assign(aws, { QueueUrl })
}

/** Takes everything that is visible out of a queue, as parsed JSON. */
export const drain = async ({ sqs, QueueUrl }: Queue): Promise<unknown[]> => {
  const bodies: unknown[] = []
  for (;;) {
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }))
    if (Messages.length === 0) return bodies
    for (const { Body, ReceiptHandle } of Messages) {
      bodies.push(JSON.parse(Body ?? ''))
      await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }))
    }
  }
}

/** The same, as records; a test event has none. */
export const drainRecords = async (queue: Queue): Promise<ToldRecord[]> =>
  // The service's own form, which the tests of notifications look at whole.
  ((await drain(queue)) as { Records?: ToldRecord[] }[]).flatMap(({ Records = [] }) => Records)

/** What was told, in short. */
export const drainShort = async (queue: Queue) =>
  (await drainRecords(queue)).map(({ eventName, s3 }) => [eventName, s3.object.key, s3.object.versionId])
