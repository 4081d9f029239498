import type { Registry } from 'prom-client'
import { z } from 'zod'

import type { EventLog } from '#shared/ports/event-log.ts'
import { variable } from '#shared/runtime/config.ts'
import type { Log } from '#shared/runtime/log.ts'

import { kafkaEventLog } from './kafka/event-log.ts'
import { kafkaVariables } from './kafka/variables.ts'
import type { KafkaConfig } from './kafka/variables.ts'
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
  ...kafkaVariables,
}

export type OpenedEventLog = EventLog & {
  /** Why the log is not ready to be worked with, in a sentence; for a readiness check. */
  problem: () => Promise<string | undefined>
}

/** @throws SetupError when the variables contradict each other, or the file can't be used */
export const openEventLog = (
  config: { EVENT_LOG: string } & KafkaConfig,
  { log, registry }: { log?: Log; registry?: Registry } = {},
): OpenedEventLog => {
  const options = { ...(log && { log }) }
  if (!config.EVENT_LOG.startsWith('sqlite:'))
    return kafkaEventLog(config, { ...options, ...(registry && { registry }) })
  const path = config.EVENT_LOG.slice('sqlite:'.length)
  return { ...sqliteEventLog({ path, ...options }), problem: () => Promise.resolve(undefined) }
}
