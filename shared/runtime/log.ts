import { pino } from 'pino'

import { keepLast } from './keep-last.ts'
import { turnDestination } from './log-destination.ts'
import { redact } from './redact.ts'

export type Log = pino.Logger

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

const serialiseError = pino.stdSerializers.errWithCause

/**
 * A log of JSON lines, to standard output unless `destination` says otherwise, written at the end of the event loop's turn.
 * An error goes into the field `err` (or `reason`, `error`) with its type, message, stack and causes.
 * Nothing secret leaves: see redact.ts.
 */
export const openLog = (options: { name: string; level?: string; destination?: pino.DestinationStream }): Log => {
  const { name, level = 'info', destination = turnDestination(1) } = options
  return pino(
    {
      level,
      base: { name },
      timestamp: timestampOfMillisecond(),
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: serialiseError, error: serialiseError, reason: serialiseError },
      hooks: { streamWrite: redact },
    },
    destination,
  )
}

/** As pino's isoTime, but written once a millisecond. */
const timestampOfMillisecond = () => {
  const write = keepLast((now) => `,"time":"${new Date(now).toISOString()}"`)
  return () => write(Date.now())
}
