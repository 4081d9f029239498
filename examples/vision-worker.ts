import { createHash } from 'node:crypto'

import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import * as queues from '@aws-sdk/client-sqs'
import { z } from 'zod'

import { askFakeVisionModel } from './fake-vision-model.ts'
import { openPlace } from './worker-place.ts'

// docs/delivery.md says what a worker must do, in whatever language.
const { queueUrl: QueueUrl, stateBucket, s3, sqs, publish, awaitS3, close } = await openPlace()
const visibilitySeconds = 30
const handsAtOnce = 4
const form = { specversion: '1.0', datacontenttype: 'application/json' }

const ids = { job_id: z.string(), user_id: z.string(), event_id: z.string(), traceparent: z.string().optional() }
const image = { bucket: z.string(), key: z.string(), etag: z.string(), version_id: z.string().optional() }
const jobSchema = z.object({ ...ids, ...image })
type Job = z.infer<typeof jobSchema>

const absence = (error: unknown) => {
  if (error instanceof Error && /^(NoSuchKey|NoSuchVersion|PreconditionFailed)$/.test(error.name)) return undefined
  throw error
}
/** One fact about a job, in the state bucket under the day that stands in its image's key. */
const factOf = ({ key, job_id }: Job, fact: 'cancelled' | 'claimed' | 'result') => {
  const place = { Bucket: stateBucket, Key: `jobs/${key.split('/')[1] ?? ''}/${job_id}.${fact}` }
  return {
    read: () => s3.send(new GetObjectCommand(place)).then(({ Body }) => Body?.transformToString(), absence),
    create: (Body: string) => s3.send(new PutObjectCommand({ ...place, Body, IfNoneMatch: '*' })).catch(absence),
    replace: (Body: string) => s3.send(new PutObjectCommand({ ...place, Body })),
  }
}

/** Whether the job is this message's to run: nobody had claimed it, or it did itself, or it was redriven since. */
const claimJob = async (job: Job, { MessageId = '', MessageAttributes }: queues.Message): Promise<boolean> => {
  const claim = factOf(job, 'claimed')
  if ((await claim.create(MessageId)) ?? (await claim.read()) === MessageId) return true
  return MessageAttributes?.['redrive-count'] !== undefined && (await claim.replace(MessageId), true)
}

/** The event that tells the result, stored before it is told: what is there first holds. Undefined without the image. */
const analyze = async (job: Job): Promise<string | undefined> => {
  const { job_id, bucket: Bucket, key: Key, version_id: VersionId, etag, user_id, event_id, traceparent } = job
  const pin = VersionId === undefined ? { IfMatch: `"${etag}"` } : { VersionId }
  const image = await s3.send(new GetObjectCommand({ Bucket, Key, ...pin })).catch(absence)
  if (!image?.Body) return undefined
  const result = await askFakeVisionModel(await image.Body.transformToByteArray())
  const id = createHash('sha256').update(`scan.analyzed\n${job_id}`).digest('hex').slice(0, 32)
  const about = { id, source: 'urn:image-intake:vision-worker', type: 'scan.analyzed', subject: Key, traceparent }
  const data = { job_id, key: Key, user_id, event_id, model: 'fake-vision-model', result }
  const event = JSON.stringify({ ...form, time: new Date(), ...about, data })
  const stored = factOf(job, 'result')
  return (await stored.create(event)) ? event : stored.read()
}

/** Takes a job to its end, and says which. A throw leaves the message in the queue: it comes again. */
const settleJob = async (job: Job, message: queues.Message): Promise<string> => {
  if ((await factOf(job, 'cancelled').read()) !== undefined) return 'cancelled'
  if (!(await claimJob(job, message))) return 'claimed by another message'
  const event = (await factOf(job, 'result').read()) ?? (await analyze(job))
  if (event === undefined) return 'gone: the image was deleted, or another is in its place'
  await publish('scan.analyzed', job.key, event)
  return `analyzed ${event}`
}

const work = async (message: queues.Message) => {
  const receipt = { QueueUrl, ReceiptHandle: message.ReceiptHandle }
  const hide = new queues.ChangeMessageVisibilityCommand({ ...receipt, VisibilityTimeout: visibilitySeconds })
  const heartbeat = setInterval(() => void sqs.send(hide).catch(() => undefined), (visibilitySeconds * 1000) / 3)
  try {
    const job = jobSchema.parse(JSON.parse(message.Body ?? ''))
    process.stdout.write(`${job.job_id} ${await settleJob(job, message)}\n`)
    await sqs.send(new queues.DeleteMessageCommand(receipt))
  } finally {
    clearInterval(heartbeat)
  }
}

const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stop.abort())
const told = { WaitTimeSeconds: 20, VisibilityTimeout: visibilitySeconds, MessageAttributeNames: ['redrive-count'] }
const workInTurn = async () => {
  while (!stop.signal.aborted) {
    try {
      const receive = new queues.ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 1, ...told })
      for (const message of (await sqs.send(receive, { abortSignal: stop.signal })).Messages ?? []) await work(message)
    } catch (error) {
      if (error instanceof Error && error.name === 'AbortError') return
      process.stderr.write(`${String(error)}\n`)
      // Each receive counts towards the 20 after which a job is given up: none is made while S3 is away.
      await awaitS3(stop.signal)
    }
  }
}
await Promise.all(Array.from({ length: handsAtOnce }, workInTurn)).then(close)
