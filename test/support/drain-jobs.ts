import { DeleteMessageCommand, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs'

import { visionJobSchema, type VisionJob } from '#shared/domain/jobs.ts'

/** Takes all jobs out of a queue, in the order in which a single worker gets them. */
export const drainJobs = async (sqs: SQSClient, QueueUrl: string): Promise<VisionJob[]> => {
  const jobs: VisionJob[] = []
  for (;;) {
    const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }))
    if (!Messages?.length) return jobs
    for (const { Body, ReceiptHandle } of Messages) {
      jobs.push(visionJobSchema.parse(JSON.parse(Body ?? '')))
      await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }))
    }
  }
}
