import type { SQSClient } from '@aws-sdk/client-sqs'

import { jobGroup } from '#shared/domain/ids.ts'
import type { VisionJob } from '#shared/domain/jobs.ts'
import type { JobQueue } from '#shared/ports/job-queue.ts'
import { group } from '#shared/runtime/group.ts'

import { awsFailure } from '../aws/failures.ts'
import { batchLimits, sendBatch } from './batch.ts'
import { sizeOfEntry, writeMessage } from './messages.ts'
import { pingQueue } from './ping.ts'
import { openQueueCalls } from './queue-calls.ts'

/** A FIFO queue; jobs that are sent at once share SendMessageBatch calls. */
export const sqsJobQueue = ({ client, queueUrl }: { client: SQSClient; queueUrl: string }): JobQueue => {
  const call = openQueueCalls(client, queueUrl)
  const batch = {
    send: (Entries: readonly object[]) => call('SendMessageBatch', { Entries }),
    failure: (error: unknown) => awsFailure('SQS', `sending jobs to ${queueUrl}`, error),
  }
  // One batch at a time keeps the order of a group's jobs.
  const send = group({
    send: (entries: readonly object[]) => sendBatch(entries, batch),
    ...batchLimits,
    sizeOf: sizeOfEntry,
  })

  return { send: async (job) => send(writeJob(job)), ping: (signal) => pingQueue(client, queueUrl, signal) }
}

const writeJob = (job: VisionJob) =>
  writeMessage({
    body: JSON.stringify(job),
    fifo: { group: jobGroup(job.user_id, job.job_id), deduplicationId: job.job_id },
  })
