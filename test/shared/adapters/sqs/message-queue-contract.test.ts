import assert from 'node:assert/strict'

import { CreateQueueCommand } from '@aws-sdk/client-sqs'

import { sqsMessageQueue } from '#shared/adapters/sqs/message-queue.ts'
import { messageQueueContract } from '../../../contract/message-queue.ts'
import { openLocal } from '../aws/local.ts'

messageQueueContract('the SQS adapter with the local SQS', async () => {
  const { sqs, away, pass, dispose } = await openLocal()
  const { QueueUrl: queueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'uploads' }))
  assert.ok(queueUrl)
  return {
    queue: sqsMessageQueue({ client: sqs, queueUrl }),
    misplaced: sqsMessageQueue({ client: sqs, queueUrl: queueUrl.replace('uploads', 'no-such-queue') }),
    away: sqsMessageQueue({ client: away.sqs, queueUrl }),
    pass,
    dispose,
  }
})
