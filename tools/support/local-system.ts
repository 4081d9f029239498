import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

import { eventLogVariables, openEventLog } from '#shared/adapters/event-log.ts'
import { localFileName, localSystemSchema, type LocalSystem } from '#shared/domain/local-mode.ts'
import type { EventLog } from '#shared/ports/event-log.ts'
import { readConfig } from '#shared/runtime/config.ts'

import { toolVariables } from './variables.ts'

/** The local system that runs in DATA_DIR. @throws Error with one sentence when none does */
export const findLocalSystem = (): LocalSystem => {
  const directory = resolve(readConfig(toolVariables, process.env).DATA_DIR)
  const text = readLocalFile(join(directory, localFileName))
  if (text === undefined) {
    throw new Error(
      `no image-intake runs in ${directory}: begin one with \`npm start\`, or set DATA_DIR to where it runs`,
    )
  }
  const system = localSystemSchema.parse(JSON.parse(text))
  if (!lives(system.pid))
    throw new Error(`the image-intake in ${directory} has ended: begin it again with \`npm start\``)
  return system
}

/** A process that was killed leaves its file behind. */
const lives = (pid: number) => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

const readLocalFile = (path: string) => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

export const openLocalEventLog = ({ event_log }: LocalSystem): EventLog => {
  const brokers = /^kafka:(.*)$/.exec(event_log)?.[1]
  const place = brokers === undefined ? { EVENT_LOG: event_log } : { EVENT_LOG: 'kafka', KAFKA_BROKERS: brokers }
  // How that Kafka is reached (TLS, SASL) stands in the environment alone.
  return openEventLog(readConfig(eventLogVariables, { ...process.env, ...place }))
}

/** What a service's environment would say of where a local system keeps its images. */
export const environmentOf = (system: LocalSystem) => ({
  AWS_REGION: system.region,
  AWS_ENDPOINT_URL_S3: system.aws_url,
  AWS_ENDPOINT_URL_SQS: system.aws_url,
  S3_FORCE_PATH_STYLE: 'true',
  AWS_ACCESS_KEY_ID: system.access_key_id,
  AWS_SECRET_ACCESS_KEY: system.secret_access_key,
  S3_BUCKET: system.bucket,
  STATE_BUCKET: system.state_bucket,
  UPLOADS_QUEUE_URL: system.uploads_queue_url,
})
