import { randomUUID } from 'node:crypto'

import { kafkaEventLog } from '#shared/adapters/kafka/event-log.ts'
import type { KafkaEventLog } from '#shared/adapters/kafka/event-log.ts'
import type { KafkaConfig } from '#shared/adapters/kafka/variables.ts'
import { deadLetterTopic } from '#shared/domain/resources.ts'
import type { EventLog } from '#shared/ports/event-log.ts'

/** Runs a test with event logs that are closed at its end. */
export const withEventLogs = async <T>(
  brokers: string,
  body: (open: (config?: KafkaConfig) => KafkaEventLog) => Promise<T>,
): Promise<T> => {
  const opened: EventLog[] = []
  const open = (config: KafkaConfig = {}) => {
    const log = kafkaEventLog({ KAFKA_BROKERS: [brokers], ...config })
    opened.push(log)
    return log
  }
  try {
    return await body(open)
  } finally {
    await Promise.all(opened.map((log) => log.close()))
  }
}

/** Creates a topic of a fresh name, with its dead letters. */
export const createTopic = async (log: EventLog, partitions = 1): Promise<string> => {
  const topic = `test-${randomUUID()}`
  await log.ensureTopics([
    { name: topic, partitions, retentionDays: 7 },
    { name: deadLetterTopic(topic), partitions: 1, retentionDays: 7 },
  ])
  return topic
}
