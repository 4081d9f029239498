import { z } from 'zod'

import type { EventLog } from '#shared/ports/event-log.ts'
import { SetupError } from '#shared/ports/failures.ts'
import { listSchema, variable, type Config } from '#shared/runtime/config.ts'

import { sqliteEventLog } from './sqlite/event-log.ts'

const eventLogSchema = z.string().refine((text) => text === 'kafka' || /^sqlite:./.test(text), {
  error: 'is neither kafka nor sqlite:PATH',
})

export const eventLogVariables = {
  EVENT_LOG: variable(
    'Where events are published: kafka, or sqlite: and a file.',
    'kafka',
    eventLogSchema.default('kafka'),
  ),
  KAFKA_BROKERS: variable('Brokers to begin with.', 'kafka-1:9092,kafka-2:9092', listSchema.optional()),
}

export const openEventLog = (config: Config<typeof eventLogVariables>): EventLog => {
  if (config.EVENT_LOG.startsWith('sqlite:')) return sqliteEventLog({ path: config.EVENT_LOG.slice('sqlite:'.length) })
  throw new SetupError('EVENT_LOG=kafka is not there yet: set EVENT_LOG=sqlite:PATH')
}
