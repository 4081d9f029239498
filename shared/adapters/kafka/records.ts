import type { IHeaders, KafkaMessage } from 'kafkajs'

import type { LogRecord } from '#shared/ports/event-log.ts'

/** A message as the port has it; one without key or value (another producer's) has empty ones. */
export const toRecord = (topic: string, partition: number, message: KafkaMessage): LogRecord => ({
  topic,
  partition,
  offset: message.offset,
  key: message.key?.toString() ?? '',
  value: message.value?.toString() ?? '',
  headers: toHeaders(message.headers ?? {}),
  appendedAt: new Date(Number(message.timestamp)),
})

/** Kafka allows a header more than once: the last one counts. */
const toHeaders = (headers: IHeaders): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      (Array.isArray(value) ? value.at(-1) : value)?.toString() ?? '',
    ]),
  )
