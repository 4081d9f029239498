import { eventLogVariables, openEventLog } from '#shared/adapters/event-log.ts'
import type { EventLog } from '#shared/ports/event-log.ts'
import { readConfig } from '#shared/runtime/config.ts'

import { findLocalSystem, openLocalEventLog } from './local-system.ts'

/** The log that EVENT_LOG or KAFKA_BROKERS names, else that of the running local system. */
export const openChosenEventLog = (): EventLog =>
  process.env['EVENT_LOG'] || process.env['KAFKA_BROKERS']
    ? openEventLog(readConfig(eventLogVariables, process.env))
    : openLocalEventLog(findLocalSystem())
