import { existsSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

import { HeadBucketCommand, S3Client, S3ServiceException } from '@aws-sdk/client-s3'
import { SQSClient } from '@aws-sdk/client-sqs'
import { Kafka } from 'kafkajs'
import { z } from 'zod'

/** A broker that is away for half an hour is waited for with the message in hand: its result is paid for. */
const retry = { retries: 60, maxRetryTime: 30_000 }

const localSchema = z.object({
  ...{ aws_url: z.string(), region: z.string(), access_key_id: z.string(), secret_access_key: z.string() },
  ...{ jobs_queue_url: z.string(), state_bucket: z.string() },
})

export const openPlace = async () => {
  const place = await findPlace()
  const look = new HeadBucketCommand({ Bucket: place.stateBucket })
  /** A refusal is an answer too: it may be about this look alone. */
  const answers = () =>
    place.s3.send(look).then(
      () => true,
      (error: unknown) => error instanceof S3ServiceException && (error.$metadata.httpStatusCode ?? 500) < 500,
    )
  /** Resolves, after a moment at least, when S3 answers or the signal aborts. */
  const awaitS3 = async (signal: AbortSignal) => {
    do await sleep(1_000)
    while (!signal.aborted && !(await answers()))
  }
  return { ...place, awaitS3 }
}

/** The environment's queue, bucket and Kafka; where it names no queue, the local system that runs in DATA_DIR. */
const findPlace = async () => {
  const { JOBS_QUEUE_URL, STATE_BUCKET, KAFKA_BROKERS = 'localhost:9092', DATA_DIR = '.data' } = process.env
  if (!JOBS_QUEUE_URL) return openLocal(DATA_DIR)
  const producer = new Kafka({ clientId: 'vision-worker', brokers: KAFKA_BROKERS.split(',') }).producer({ retry })
  await producer.connect()
  return {
    queueUrl: JOBS_QUEUE_URL,
    stateBucket: STATE_BUCKET ?? '',
    s3: new S3Client({ forcePathStyle: process.env['S3_FORCE_PATH_STYLE'] === 'true' }),
    sqs: new SQSClient(),
    publish: async (topic: string, key: string, value: string) => {
      await producer.send({ topic, messages: [{ key, value }] })
    },
    close: () => producer.disconnect(),
  }
}

/** The local system's own log may be a file: it takes events over HTTP. */
const openLocal = (directory: string) => {
  const file = `${directory}/local.json`
  if (!existsSync(file)) {
    process.stderr.write(
      `No local system runs here (${file} is not there): begin it with \`npm start\`, or set JOBS_QUEUE_URL.\n`,
    )
    process.exit(1)
  }
  const local = localSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
  const { aws_url: endpoint, region, access_key_id: accessKeyId, secret_access_key: secretAccessKey } = local
  const aws = { endpoint, region, credentials: { accessKeyId, secretAccessKey } }
  return {
    queueUrl: local.jobs_queue_url,
    stateBucket: local.state_bucket,
    s3: new S3Client({ ...aws, forcePathStyle: true }),
    sqs: new SQSClient(aws),
    publish: async (_topic: string, _key: string, body: string) => {
      const headers = { 'content-type': 'application/cloudevents+json' }
      const answer = await fetch(`${endpoint}/_events`, { method: 'POST', headers, body })
      if (!answer.ok) throw new Error(`the local system took no event: ${answer.status} ${await answer.text()}`)
    },
    close: () => Promise.resolve(),
  }
}
