import { z } from 'zod'

import { eventLogVariables, openEventLog } from '#shared/adapters/event-log.ts'
import type { EventLog } from '#shared/ports/event-log.ts'
import { readConfig, variable, wholeNumber } from '#shared/runtime/config.ts'

const hostPort = wholeNumber({ min: 1, max: 65_535 })

/** What docker-compose.yml lets the environment choose, with its defaults, as far as tools on the host need it. */
export const composeVariables = {
  INTAKE_API_PORT: variable('Port of the API of `docker compose`.', '3100', hostPort.default(3100)),
  INTAKE_KAFKA_PORT: variable('Port of the broker of `docker compose`.', '9192', hostPort.default(9192)),
  INTAKE_JWT_SECRET: variable(
    'Secret of the tokens for the API of `docker compose`.',
    'a-long-random-text-of-at-least-32-characters',
    z.string().min(32, { error: 'is shorter than 32 characters' }).default('image-intake-compose-on-this-machine-only'),
    { secret: true },
  ),
}

/** The system that `docker compose up` runs on this machine. */
export const findComposeSystem = (): { apiUrl: string; jwtSecret: string; openLog: () => EventLog } => {
  const config = readConfig(composeVariables, process.env)
  const place = { EVENT_LOG: 'kafka', KAFKA_BROKERS: `127.0.0.1:${config.INTAKE_KAFKA_PORT}` }
  return {
    apiUrl: `http://127.0.0.1:${config.INTAKE_API_PORT}`,
    jwtSecret: config.INTAKE_JWT_SECRET,
    openLog: () => openEventLog(readConfig(eventLogVariables, place)),
  }
}
