import { randomUUID } from 'node:crypto'

import { awsVariables, openSqs } from '#shared/adapters/aws/clients.ts'
import { sqsMessageQueue } from '#shared/adapters/sqs/message-queue.ts'
import { jobGroup } from '#shared/domain/ids.ts'
import type { VisionJob } from '#shared/domain/jobs.ts'
import type { LocalSystem } from '#shared/domain/local-mode.ts'
import type { MessageQueue, QueueMessage } from '#shared/ports/message-queue.ts'
import { readConfig } from '#shared/runtime/config.ts'

/** A queue of a local system, by its url or by another queue's with its own name. */
export const openQueueOf = (system: LocalSystem, queueUrl: string) => {
  const environment = {
    AWS_REGION: system.region,
    AWS_ENDPOINT_URL_SQS: system.aws_url,
    AWS_ACCESS_KEY_ID: system.access_key_id,
    AWS_SECRET_ACCESS_KEY: system.secret_access_key,
  }
  return sqsMessageQueue({ client: openSqs(readConfig(awsVariables, environment)), queueUrl })
}

/** Sends a job past the dispatcher; each time a message of its own, as when the queue has a job twice. */
export const sendJob = (queue: MessageQueue, job: VisionJob, attributes?: Record<string, string>) =>
  queue.send({
    body: JSON.stringify(job),
    fifo: { group: jobGroup(job.user_id, job.job_id), deduplicationId: randomUUID() },
    ...(attributes && { attributes }),
  })

/** All messages that can be received now, hidden for a minute after. */
export const receiveAll = async (queue: MessageQueue): Promise<QueueMessage[]> => {
  const signal = new AbortController().signal
  const messages: QueueMessage[] = []
  for (;;) {
    const some = await queue.receive({ max: 10, waitSeconds: 0, visibilitySeconds: 60, signal })
    if (some.length === 0) return messages
    messages.push(...some)
  }
}
