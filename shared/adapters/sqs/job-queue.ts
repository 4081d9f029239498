import { SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs'

import { jobGroup } from '#shared/domain/ids.ts'
import type { VisionJob } from '#shared/domain/jobs.ts'
import type { JobQueue } from '#shared/ports/job-queue.ts'
import { group } from '#shared/runtime/group.ts'

import { awsFailure } from '../aws/failures.ts'
import { settleBatch } from './batch.ts'
import { pingQueue } from './ping.ts'

/** SQS's limit for a message and for a batch, since August 2025. */
const maxBatchBytes = 1_048_576

/** A FIFO queue by the AWS SDK; jobs that are sent at once share SendMessageBatch calls. */
export const sqsJobQueue = ({ client, queueUrl }: { client: SQSClient; queueUrl: string }): JobQueue => {
  const failure = (about: string, error: unknown) => awsFailure('SQS', `${about} ${queueUrl}`, error)

  const sendBatch = async (jobs: readonly VisionJob[]) => {
    try {
      const command = new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries: jobs.map(toEntry) })
      return settleBatch(jobs.length, await client.send(command))
    } catch (error) {
      throw failure('sending jobs to', error)
    }
  }

  // One batch at a time keeps the order of a group's jobs.
  const send = group({
    send: sendBatch,
    maxItems: 10,
    maxBytes: maxBatchBytes,
    sizeOf: (job) => Buffer.byteLength(JSON.stringify(job)),
  })

  return { send: async (job) => send(job), ping: (signal) => pingQueue(client, queueUrl, signal) }
}

const toEntry = (job: VisionJob, index: number) => ({
  Id: String(index),
  MessageBody: JSON.stringify(job),
  MessageGroupId: jobGroup(job.user_id, job.job_id),
  MessageDeduplicationId: job.job_id,
})
