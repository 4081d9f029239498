import { readFileSync } from 'node:fs'

import { S3Client } from '@aws-sdk/client-s3'
import { SQSClient } from '@aws-sdk/client-sqs'
import { Kafka } from 'kafkajs'
import { z } from 'zod'

const localSchema = z.object({
  ...{ aws_url: z.string(), region: z.string(), access_key_id: z.string(), secret_access_key: z.string() },
  ...{ jobs_queue_url: z.string(), state_bucket: z.string() },
})

/** The environment's queue, bucket and Kafka; where it names no queue, the local system that runs in DATA_DIR. */
export const openPlace = async () => {
  const { JOBS_QUEUE_URL, STATE_BUCKET, KAFKA_BROKERS = 'localhost:9092', DATA_DIR = '.data' } = process.env
  if (!JOBS_QUEUE_URL) return openLocal(DATA_DIR)
  const producer = new Kafka({ clientId: 'vision-worker', brokers: KAFKA_BROKERS.split(',') }).producer()
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
  const local = localSchema.parse(JSON.parse(readFileSync(`${directory}/local.json`, 'utf8')))
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
