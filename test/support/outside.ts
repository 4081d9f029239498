import {
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { HeadObjectCommand, paginateListObjectsV2 } from '@aws-sdk/client-s3'

import { eventSchemas, type IntakeEvent } from '#shared/domain/events.ts'
import { objectEventId } from '#shared/domain/ids.ts'
import { visionJobSchema, type VisionJob } from '#shared/domain/jobs.ts'
import { parseKey } from '#shared/domain/keys.ts'
import type { LocalSystem } from '#shared/domain/local-mode.ts'

import { openLocalEventLog } from '../../tools/support/local-system.ts'
import { openS3Of } from './client.ts'

/** All events of the log now; each is checked against its schema. */
export const readEvents = async (system: LocalSystem): Promise<IntakeEvent[]> => {
  const log = openLocalEventLog(system)
  const topics = Object.keys(eventSchemas)
  const signal = new AbortController().signal
  const events: IntakeEvent[] = []
  for await (const { topic, value } of await log.read({ topics, from: 'start', follow: false, signal })) {
    const schema = eventSchemas[topic as keyof typeof eventSchemas] // read by those very names
    events.push(schema.parse(JSON.parse(value)))
  }
  await log.close()
  return events
}

const openSqsOf = (system: LocalSystem) =>
  new SQSClient({
    region: system.region,
    endpoint: system.aws_url,
    credentials: { accessKeyId: system.access_key_id, secretAccessKey: system.secret_access_key },
  })

/** How many messages a queue holds, in hand or not. */
export const countMessages = async (system: LocalSystem, queueUrl: string) => {
  const sqs = openSqsOf(system)
  const { Attributes = {} } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['All'] }),
  )
  sqs.destroy()
  return Number(Attributes['ApproximateNumberOfMessages']) + Number(Attributes['ApproximateNumberOfMessagesNotVisible'])
}

/** Takes every job out of the queue's sight; nothing else may receive from it meanwhile. */
export const receiveJobs = async (system: LocalSystem): Promise<VisionJob[]> => {
  const sqs = openSqsOf(system)
  const total = await countMessages(system, system.jobs_queue_url)
  const jobs: VisionJob[] = []
  while (jobs.length < total) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl: system.jobs_queue_url, MaxNumberOfMessages: 10 }),
    )
    if (Messages.length === 0) throw new Error(`the jobs queue gave ${jobs.length} of ${total} messages`)
    jobs.push(...Messages.map(({ Body = '' }) => visionJobSchema.parse(JSON.parse(Body))))
    const Entries = Messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }))
    await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: system.jobs_queue_url, Entries }))
  }
  sqs.destroy()
  return jobs
}

/** The event id that each object of the bucket must have, by its key; `type` says of which event. */
export const expectedEventIds = async (system: LocalSystem, type: (key: string) => string) => {
  const s3 = openS3Of(system)
  const ids = new Map<string, string>()
  for await (const page of paginateListObjectsV2({ client: s3 }, { Bucket: system.bucket })) {
    for (const { Key = '' } of page.Contents ?? []) {
      const parsed = parseKey(Key)
      if (!parsed.ok) throw new Error(`${Key} is no key`)
      const { ETag = '', LastModified } = await s3.send(new HeadObjectCommand({ Bucket: system.bucket, Key }))
      if (!LastModified) throw new Error(`${Key} has no time`)
      const state = {
        bucket: system.bucket,
        key: parsed.facts.key,
        etag: ETag.replaceAll('"', ''),
        lastModified: LastModified,
      }
      ids.set(Key, objectEventId(type(Key), state))
    }
  }
  s3.destroy()
  return ids
}
