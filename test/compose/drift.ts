import {
  DeleteBucketLifecycleCommand,
  PutBucketCorsCommand,
  PutBucketNotificationConfigurationCommand,
} from '@aws-sdk/client-s3'
import { SetQueueAttributesCommand } from '@aws-sdk/client-sqs'

import { awsVariables, openSqs } from '#shared/adapters/aws/clients.ts'
import type { LocalSystem } from '#shared/domain/local-mode.ts'
import { readConfig } from '#shared/runtime/config.ts'

import { openS3Of } from '../support/client.ts'

/** Changes by hand what `provision` made, once of each kind. @returns what `provision` has to say of it, in its order */
export const spoilResources = async (system: LocalSystem): Promise<string[]> => {
  const sqs = openSqs(
    readConfig(awsVariables, {
      AWS_REGION: system.region,
      AWS_ENDPOINT_URL_SQS: system.aws_url,
      AWS_ACCESS_KEY_ID: system.access_key_id,
      AWS_SECRET_ACCESS_KEY: system.secret_access_key,
    }),
  )
  const s3 = openS3Of(system)
  const Bucket = system.bucket
  const everybody = { AllowedMethods: ['GET'], AllowedOrigins: ['*'] }
  const settings = { MessageRetentionPeriod: '60', RedrivePolicy: '', Policy: '' }
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl: system.uploads_queue_url, Attributes: settings }))
  await s3.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules: [everybody] } }))
  await s3.send(new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration: {} }))
  await s3.send(new DeleteBucketLifecycleCommand({ Bucket: system.state_bucket }))
  sqs.destroy()
  s3.destroy()
  return [
    'queue image-uploads: set MessageRetentionPeriod, RedrivePolicy, Policy',
    `bucket ${Bucket}: set CORS`,
    `bucket ${Bucket}: set notifications`,
    `bucket ${system.state_bucket}: set lifecycle`,
  ]
}
