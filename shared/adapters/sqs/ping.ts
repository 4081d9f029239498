import { GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs'

import { given } from '#shared/domain/given.ts'

import { awsFailure } from '../aws/failures.ts'

/** Asks a queue for its name: resolves when it answers. */
export const pingQueue = async (client: SQSClient, queueUrl: string, signal?: AbortSignal) => {
  const command = new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['QueueArn'] })
  try {
    await client.send(command, given({ abortSignal: signal }))
  } catch (error) {
    throw awsFailure('SQS', `asking for ${queueUrl}`, error)
  }
}
