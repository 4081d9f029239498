import { awsVariables, openS3, openSqs } from '#shared/adapters/aws/clients.ts'
import { listObjects } from '#shared/adapters/s3/list-objects.ts'
import { s3ObjectStore } from '#shared/adapters/s3/object-store.ts'
import { sqsMessageQueue } from '#shared/adapters/sqs/message-queue.ts'
import { notificationQueueVariables, placeVariables } from '#shared/adapters/variables.ts'
import { readConfig } from '#shared/runtime/config.ts'

import { environmentOf, findLocalSystem } from './local-system.ts'

/** What `npm run reconcile` reads, unless it finds a local system. */
export const reconcileVariables = {
  ...awsVariables,
  S3_BUCKET: placeVariables.S3_BUCKET,
  STATE_BUCKET: placeVariables.STATE_BUCKET,
  UPLOADS_QUEUE_URL: notificationQueueVariables.UPLOADS_QUEUE_URL,
}

const ownNames = ['S3_BUCKET', 'STATE_BUCKET', 'UPLOADS_QUEUE_URL']

/**
 * The buckets and the queue that the environment names when it names any, else those of the running local system.
 * @throws SetupError when one of them is not there, OutageError
 */
export const openReconcilePlace = async () => {
  const isNamed = ownNames.some((name) => process.env[name])
  const config = readConfig(reconcileVariables, isNamed ? process.env : environmentOf(findLocalSystem()))
  const [s3, sqs] = [openS3(config), openSqs(config)]
  const bucket = config.S3_BUCKET
  const states = s3ObjectStore({ client: s3, bucket: config.STATE_BUCKET })
  const uploads = sqsMessageQueue({ client: sqs, queueUrl: config.UPLOADS_QUEUE_URL })
  await Promise.all([s3ObjectStore({ client: s3, bucket }).ping(), states.ping(), uploads.ping()])
  return {
    place: { bucket, region: config.AWS_REGION },
    list: (prefix: string, signal: AbortSignal) => listObjects({ client: s3, bucket }, { prefix, signal }),
    states,
    uploads,
    close: () => {
      s3.destroy()
      sqs.destroy()
    },
  }
}
