import type { Stack } from 'aws-cdk-lib'
import { CfnAlarm } from 'aws-cdk-lib/aws-cloudwatch'

import { queueNames } from '../shared/domain/resources.ts'
import { idOf } from './queues.ts'
import type { Settings } from './settings.ts'

type QueueAlarm = {
  queue: string
  metric: 'ApproximateAgeOfOldestMessage' | 'ApproximateNumberOfMessagesVisible'
  /** Alarms above it, for so many of the last five minutes. */
  above: number
  minutes: number
  says: string
}

const waits = (queue: string, aboveSeconds: number, says: string): QueueAlarm => ({
  queue,
  metric: 'ApproximateAgeOfOldestMessage',
  above: aboveSeconds,
  minutes: 3,
  says,
})

const isNotEmpty = (queue: string, says: string): QueueAlarm => ({
  queue,
  metric: 'ApproximateNumberOfMessagesVisible',
  above: 0,
  minutes: 1,
  says,
})

export const queueAlarms: readonly QueueAlarm[] = [
  waits(queueNames.uploads, 300, 'Uploads wait for their verdict: is the upload-watcher up, and Kafka, S3 and SQS?'),
  waits(queueNames.jobs, 900, 'Vision jobs wait for a worker.'),
  isNotEmpty(queueNames.uploadsDeadLetters, 'Notifications came 20 times without an end: npm run redrive -- uploads.'),
  isNotEmpty(queueNames.jobsDeadLetters, 'Vision jobs came 20 times without an end: npm run redrive -- jobs.'),
  isNotEmpty(queueNames.quarantine, 'Something could not be read: npm run redrive -- quarantine shows the reasons.'),
]

export const makeAlarms = (stack: Stack, { alarmTopic }: Settings): void => {
  const told = alarmTopic === undefined ? {} : { alarmActions: [alarmTopic], okActions: [alarmTopic] }
  for (const { queue, metric, above, minutes, says } of queueAlarms) {
    const about = metric === 'ApproximateAgeOfOldestMessage' ? 'Waits' : 'NotEmpty'
    new CfnAlarm(stack, `${idOf(queue)}${about}`, {
      alarmDescription: says,
      namespace: 'AWS/SQS',
      metricName: metric,
      dimensions: [{ name: 'QueueName', value: queue }],
      statistic: 'Maximum',
      period: 60,
      evaluationPeriods: 5,
      datapointsToAlarm: minutes,
      comparisonOperator: 'GreaterThanThreshold',
      threshold: above,
      // SQS tells nothing of a queue that nobody used for hours.
      treatMissingData: 'notBreaching',
      ...told,
    })
  }
}
