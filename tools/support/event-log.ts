import { z } from 'zod'

import { awsVariables } from '#shared/adapters/aws/clients.ts'
import { eventLogVariables, openEventLog } from '#shared/adapters/event-log.ts'
import type { EventLog } from '#shared/ports/event-log.ts'
import { readConfig, variable } from '#shared/runtime/config.ts'

import { findLocalSystem, openLocalEventLog } from './local-system.ts'

/** AWS_REGION is for KAFKA_SASL_MECHANISM=aws-msk-iam alone. */
const toolEventLogVariables = {
  ...eventLogVariables,
  AWS_REGION: variable(awsVariables.AWS_REGION.about, awsVariables.AWS_REGION.example, z.string().optional()),
}

/** The log that EVENT_LOG or KAFKA_BROKERS names, else that of the running local system. */
export const openChosenEventLog = (): EventLog =>
  process.env['EVENT_LOG'] || process.env['KAFKA_BROKERS']
    ? openEventLog(readConfig(toolEventLogVariables, process.env))
    : openLocalEventLog(findLocalSystem())
