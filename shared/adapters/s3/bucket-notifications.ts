import {
  GetBucketNotificationConfigurationCommand,
  PutBucketNotificationConfigurationCommand,
  type Event,
  type NotificationConfiguration,
  type S3Client,
} from '@aws-sdk/client-s3'

import { given } from '#shared/domain/given.ts'
import type { NotificationSpec } from '#shared/domain/resources.ts'
import { retrying } from '#shared/runtime/backoff.ts'

import { statusOf } from '../aws/failures.ts'
import { byId, sorted, type Setting } from './setting.ts'

/** Undefined while the queue does not exist, as in a dry run. */
export type QueueArn = (name: string) => string | undefined

/** Notifications to queues are as the table says; those to topics, functions and EventBridge are somebody else's. */
export const notificationSetting = (specs: readonly NotificationSpec[], queueArn: QueueArn): Setting => {
  const wanted = specs.map(({ id, queue, prefix, events }) => ({
    id,
    arn: queueArn(queue),
    prefix,
    events: sorted(events),
  }))
  const QueueConfigurations = wanted.map(({ id, arn, prefix, events }) => ({
    Id: id,
    QueueArn: arn,
    // The table's names are S3's own.
    Events: events as Event[],
    Filter: { Key: { FilterRules: [{ Name: 'prefix' as const, Value: prefix }] } },
  }))
  return {
    name: 'notifications',
    wanted: byId(wanted),
    read: async (client, Bucket) => byId(describe(await readNotifications(client, Bucket))),
    write: async (client, Bucket) => {
      const others = notToQueues(await readNotifications(client, Bucket))
      const NotificationConfiguration = { ...others, QueueConfigurations }
      const command = new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration })
      return retrying(() => client.send(command), { ...acceptance, isFinal: (error) => !isNotYetAllowed(error) })
    },
  }
}

/** A queue's policy takes up to 60 s to be known everywhere. Source: SQS API reference, SetQueueAttributes. */
const acceptance = { attempts: 40, delayMs: () => 2_000 }

/** S3 sends each queue a test event, and refuses the whole when one of them does not let it. */
const isNotYetAllowed = (error: unknown) =>
  error instanceof Error &&
  error.name === 'InvalidArgument' &&
  /unable to validate the following destination/i.test(error.message)

const readNotifications = async (client: S3Client, Bucket: string): Promise<NotificationConfiguration> => {
  try {
    return await client.send(new GetBucketNotificationConfigurationCommand({ Bucket }))
  } catch (error) {
    // The store has no notifications at all.
    if (statusOf(error) === 501) return {}
    throw error
  }
}

const describe = ({ QueueConfigurations = [] }: NotificationConfiguration) =>
  QueueConfigurations.map(({ Id, QueueArn, Events, Filter }) => ({
    id: Id,
    arn: QueueArn,
    prefix: Filter?.Key?.FilterRules?.find(({ Name }) => Name?.toLowerCase() === 'prefix')?.Value,
    events: sorted(Events),
  }))

const notToQueues = (found: NotificationConfiguration) => {
  const { TopicConfigurations, LambdaFunctionConfigurations, EventBridgeConfiguration } = found
  return given({ TopicConfigurations, LambdaFunctionConfigurations, EventBridgeConfiguration })
}
