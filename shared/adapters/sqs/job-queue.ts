import type { SQSClient } from '@aws-sdk/client-sqs'

import { jobGroup } from '#shared/domain/ids.ts'
import type { VisionJob } from '#shared/domain/jobs.ts'
import { OutageError } from '#shared/ports/failures.ts'
import { sendWithinMs, type JobQueue } from '#shared/ports/job-queue.ts'
import { group } from '#shared/runtime/group.ts'

import { awsFailure } from '../aws/failures.ts'
import { batchLimits, sendBatch } from './batch.ts'
import { sizeOfEntry, writeMessage, type MessageEntry } from './messages.ts'
import { pingQueue } from './ping.ts'
import { openQueueCalls } from './queue-calls.ts'

/** What SQS took at most until August 2025; other services still do, and ten jobs have a tenth of it. */
const maxBatchBytes = 262_144

type Waiting = { entry: MessageEntry; notAfter: number }

/** A FIFO queue; jobs that are sent at once share SendMessageBatch calls. `withinMs` stands in for `sendWithinMs`. */
export const sqsJobQueue = ({
  client,
  queueUrl,
  withinMs = sendWithinMs,
}: {
  client: SQSClient
  queueUrl: string
  withinMs?: number
}): JobQueue => {
  const call = openQueueCalls(client, queueUrl)
  const failure = (error: unknown) => awsFailure('SQS', `sending jobs to ${queueUrl}`, error)

  const sendInTime = async (waiting: readonly Waiting[]) => {
    const now = performance.now()
    const due = waiting.filter(({ notAfter }) => notAfter > now)
    const time = limitTime(Math.min(...due.map(({ notAfter }) => notAfter)) - now)
    const send = (Entries: readonly object[]) => call('SendMessageBatch', { Entries }, time.signal)
    try {
      const entries = due.map(({ entry }) => entry)
      const sent = due.length > 0 ? await sendBatch(entries, { send, failure }) : []
      return waiting.map((one) => sent[due.indexOf(one)] ?? tooLate(withinMs))
    } finally {
      time.end()
    }
  }
  // One batch at a time keeps the order of a group's jobs.
  const send = group({
    send: sendInTime,
    maxItems: batchLimits.maxItems,
    maxBytes: maxBatchBytes,
    sizeOf: ({ entry }: Waiting) => sizeOfEntry(entry),
  })

  return {
    send: async (job) => send({ entry: writeJob(job), notAfter: performance.now() + withinMs }),
    ping: (signal) => pingQueue(client, queueUrl, signal),
  }
}

/** As AbortSignal.timeout, but its timer ends with the call. */
const limitTime = (ms: number) => {
  const late = new AbortController()
  const timer = Number.isFinite(ms) ? setTimeout(() => late.abort(), ms) : undefined
  return { signal: late.signal, end: () => clearTimeout(timer) }
}

const tooLate = (withinMs: number): PromiseRejectedResult => ({
  status: 'rejected',
  reason: new OutageError('SQS', `a job could not be sent within ${withinMs} ms`),
})

const writeJob = (job: VisionJob) =>
  writeMessage({
    body: JSON.stringify(job).replace(/[\ufffe\uffff]/g, escapeCharacter),
    fifo: { group: jobGroup(job.user_id, job.job_id), deduplicationId: job.job_id },
  })

/** SQS takes no message with these two (SQS API reference, SendMessage), and a user's name may hold any. */
const escapeCharacter = (character: string) => `\\u${character.charCodeAt(0).toString(16)}`
