import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { Kafka, logLevel } from 'kafkajs'
import { z } from 'zod'

const eventSchema = z.object({
  id: z.string(),
  data: z.object({
    bucket: z.string(),
    key: z.string(),
    user_id: z.string(),
    etag: z.string(),
    cdn_url: z.url(),
    job_id: z.string(),
  }),
})

/** Events to jobs as the introductions of kafkajs, zod and the SDK show it: eachMessage, parse, one SendMessage. */
export const runPlainDispatcher = async (options: { brokers: string[]; queueUrl: string; groupId: string }) => {
  const kafka = new Kafka({ clientId: 'plain-dispatcher', brokers: options.brokers, logLevel: logLevel.NOTHING })
  const sqs = new SQSClient({})
  const consumer = kafka.consumer({ groupId: options.groupId })
  await consumer.connect()
  await consumer.subscribe({ topic: 'image.uploaded', fromBeginning: true })
  await consumer.run({
    eachMessage: async ({ message }) => {
      const event = eventSchema.parse(JSON.parse(message.value?.toString() ?? ''))
      const command = new SendMessageCommand({
        QueueUrl: options.queueUrl,
        MessageBody: JSON.stringify({ ...event.data, event_id: event.id }),
        MessageGroupId: event.data.user_id,
        MessageDeduplicationId: event.data.job_id,
      })
      await sqs.send(command)
    },
  })
  return () => consumer.disconnect()
}
