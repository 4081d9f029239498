import { GetObjectCommand, HeadObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { SQSClient, type Message } from '@aws-sdk/client-sqs'
import { fileTypeFromBuffer } from 'file-type'
import { Kafka, logLevel } from 'kafkajs'
import { pino } from 'pino'
import { Consumer } from 'sqs-consumer'

/** As much as the upload-watcher reads: dimensions seldom stand in the 4,100 bytes that file-type needs for the type alone. */
const sampleBytes = 65_536
const maxBytes = 10_485_760

type Notification = { Records: { s3: { bucket: { name: string }; object: { key: string } } }[] }

/**
 * Uploads taken from SQS, looked at in S3, told to Kafka and noted in S3, as one writes it from the introductions of
 * sqs-consumer, the AWS SDK, file-type, kafkajs and pino. `batches`: ten messages at a time, deleted by one request, which
 * is the best that sqs-consumer can do; else one by one, as its first example.
 */
export const watchByGlue = async (options: {
  region: string
  endpoint: string
  credentials: { accessKeyId: string; secretAccessKey: string }
  queueUrl: string
  stateBucket: string
  brokers: string[]
  batches: boolean
}) => {
  const { queueUrl, stateBucket, brokers, batches, ...aws } = options
  const s3 = new S3Client({ ...aws, forcePathStyle: true })
  const producer = new Kafka({ clientId: 'glue', brokers, logLevel: logLevel.NOTHING }).producer()
  await producer.connect()
  const log = pino()

  const judge = async (bucket: string, key: string) => {
    const head = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key }))
    if ((head.ContentLength ?? 0) > maxBytes) return { head, verdict: 'rejected', type: undefined }
    const range = `bytes=0-${sampleBytes - 1}`
    const get = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key, Range: range, IfMatch: head.ETag }))
    const bytes = (await get.Body?.transformToByteArray()) ?? new Uint8Array()
    const type = (await fileTypeFromBuffer(bytes))?.mime
    return { head, verdict: type === head.ContentType ? 'accepted' : 'rejected', type }
  }
  const settle = async ({ Body = '' }: Message) => {
    const { Records } = JSON.parse(Body) as Notification // as S3 documents it
    for (const { s3: about } of Records) {
      const bucket = about.bucket.name
      const key = decodeURIComponent(about.object.key.replaceAll('+', ' '))
      const { head, verdict, type } = await judge(bucket, key)
      const topic = verdict === 'accepted' ? 'image.uploaded' : 'image.rejected'
      const facts = { key, size: head.ContentLength, etag: head.ETag, content_type: type, at: head.LastModified }
      const value = JSON.stringify({ specversion: '1.0', type: topic, subject: key, data: { bucket, ...facts } })
      await producer.send({ topic, acks: -1, messages: [{ key, value }] })
      const state = { Bucket: stateBucket, Key: `verdicts/${key}`, ContentType: 'application/json' }
      await s3.send(new PutObjectCommand({ ...state, Body: JSON.stringify({ verdict, ...facts }) }))
      log.info({ key, verdict }, 'upload settled')
    }
  }
  const one = {
    handleMessage: async (message: Message) => {
      await settle(message)
      return message
    },
  }
  const ten = {
    batchSize: 10,
    handleMessageBatch: async (messages: Message[]) => {
      await Promise.all(messages.map(settle))
      return messages
    },
  }
  const consumer = Consumer.create({ queueUrl, sqs: new SQSClient(aws), ...(batches ? ten : one) })
  const fail = (error: Error) => {
    throw error
  }
  consumer.on('error', fail)
  consumer.on('processing_error', fail)
  consumer.start()
}
