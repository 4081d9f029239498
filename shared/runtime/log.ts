import { pino } from 'pino'

import { turnDestination } from './log-destination.ts'
import { redact } from './redact.ts'

export type Log = pino.Logger

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

const serialiseError = pino.stdSerializers.errWithCause

/**
 * A log of JSON lines, to standard output unless `destination` says otherwise, written before the call returns.
 * An error goes into the field `err` (or `reason`, `error`) with its type, message, stack and causes.
 * Nothing secret leaves: see redact.ts.
 */
export const openLog = (options: { name: string; level?: string; destination?: pino.DestinationStream }): Log => {
  const { name, level = 'info', destination = turnDestination(1) } = options
  return pino(
    {
      level,
      base: { name },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: serialiseError, error: serialiseError, reason: serialiseError },
      hooks: { streamWrite: redact },
    },
    destination,
  )
}
