import assert from 'node:assert/strict'

import { CreateQueueCommand, DeleteMessageCommand, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs'

import { sqsJobQueue } from '#shared/adapters/sqs/job-queue.ts'
import { visionJobSchema, type VisionJob } from '#shared/domain/jobs.ts'
import { jobQueueContract } from '../../../contract/job-queue.ts'
import { openLocal } from '../aws/local.ts'

const drain = async (sqs: SQSClient, QueueUrl: string): Promise<VisionJob[]> => {
  const jobs: VisionJob[] = []
  for (;;) {
    const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }))
    if (!Messages?.length) return jobs
    for (const { Body, ReceiptHandle } of Messages) {
      jobs.push(visionJobSchema.parse(JSON.parse(Body ?? '')))
      await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }))
    }
  }
}

jobQueueContract('the SQS adapter with the local SQS', async () => {
  const { sqs, away, pass, dispose } = await openLocal()
  const { QueueUrl: queueUrl } = await sqs.send(
    new CreateQueueCommand({ QueueName: 'jobs.fifo', Attributes: { FifoQueue: 'true' } }),
  )
  assert.ok(queueUrl)
  return {
    queue: sqsJobQueue({ client: sqs, queueUrl }),
    misplaced: sqsJobQueue({ client: sqs, queueUrl: queueUrl.replace('jobs', 'no-such-jobs') }),
    away: sqsJobQueue({ client: away.sqs, queueUrl }),
    drain: () => drain(sqs, queueUrl),
    pass,
    dispose,
  }
})
