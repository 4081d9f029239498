import assert from 'node:assert/strict'

import { CreateQueueCommand } from '@aws-sdk/client-sqs'

import { sqsJobQueue } from '#shared/adapters/sqs/job-queue.ts'
import { jobQueueContract } from '../../../contract/job-queue.ts'
import { drainJobs } from '../../../support/drain-jobs.ts'
import { openLocal } from '../aws/local.ts'

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
    drain: () => drainJobs(sqs, queueUrl),
    pass,
    dispose,
  }
})
