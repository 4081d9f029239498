import type { RequestListener } from 'node:http'
import { join } from 'node:path'

import { awsVariables, openS3, openSqs } from '#shared/adapters/aws/clients.ts'
import { eventLogVariables, openEventLog } from '#shared/adapters/event-log.ts'
import { provision } from '#shared/adapters/provision.ts'
import { planResources, queueNames, topics } from '#shared/domain/resources.ts'
import { readConfig } from '#shared/runtime/config.ts'

import { listenOnLoopback, openLocalAws } from '../../local/aws/server.ts'
import type { TestSystem } from './client.ts'
import { eventually } from './eventually.ts'
import { startProcess } from './local-system.ts'

const jwtSecret = 'a-secret-of-the-tests-that-is-long-enough'
const names = { bucket: 'alone-images', stateBucket: 'alone-images-state' }

/** S3, SQS and an event log for services that run alone, and the environment that they need. */
export const openSurroundings = async (
  dataPath: string,
  eventLog: Record<string, string> = { EVENT_LOG: `sqlite:${join(dataPath, 'events.sqlite')}` },
  /** Stands before S3 and SQS. */
  front: (handle: RequestListener) => RequestListener = (handle) => handle,
) => {
  const region = 'eu-west-1'
  const credentials = { accessKeyId: 'test-key', secretAccessKey: 'test-secret' }
  let offsetMs = 0
  const aws = openLocalAws({ directory: dataPath, region, credentials, now: () => Date.now() + offsetMs })
  const server = await listenOnLoopback(front(aws.handle), 0)
  const environment = {
    AWS_REGION: region,
    AWS_ENDPOINT_URL_S3: server.url,
    AWS_ENDPOINT_URL_SQS: server.url,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    S3_FORCE_PATH_STYLE: 'true',
    S3_BUCKET: names.bucket,
    STATE_BUCKET: names.stateBucket,
    CDN_BASE_URL: 'http://127.0.0.1:9/images',
    ...eventLog,
    JWT_SECRET: jwtSecret,
    UPLOADS_VISIBILITY_SECONDS: '2',
    PORT: '0',
    HEALTH_PORT: '0',
  }
  const config = readConfig({ ...awsVariables, ...eventLogVariables }, environment)
  const log = openEventLog(config)
  await log.ensureTopics(topics)
  await log.close()
  const { queueUrl } = await provision({ s3: openS3(config), sqs: openSqs(config), region }, planResources(names, []))
  const queues = {
    UPLOADS_QUEUE_URL: queueUrl(queueNames.uploads),
    QUARANTINE_QUEUE_URL: queueUrl(queueNames.quarantine),
    JOBS_QUEUE_URL: queueUrl(queueNames.jobs),
  }
  const close = async () => {
    await server.close()
    aws.close()
  }
  const { EVENT_LOG = '', KAFKA_BROKERS } = eventLog
  /** The system as tests look at it from outside, once its API listens at `apiUrl`. */
  const describe = (apiUrl: string): TestSystem => ({
    pid: process.pid,
    api_url: apiUrl,
    aws_url: server.url,
    region,
    access_key_id: credentials.accessKeyId,
    secret_access_key: credentials.secretAccessKey,
    bucket: names.bucket,
    state_bucket: names.stateBucket,
    uploads_queue_url: queues.UPLOADS_QUEUE_URL,
    quarantine_queue_url: queues.QUARANTINE_QUEUE_URL,
    jobs_queue_url: queues.JOBS_QUEUE_URL,
    cdn_base_url: environment.CDN_BASE_URL,
    event_log: KAFKA_BROKERS === undefined ? EVENT_LOG : `kafka:${KAFKA_BROKERS}`,
    jwt_secret: jwtSecret,
  })
  /** Moves the clock of S3 and SQS alone; from 15 minutes on they refuse signatures. */
  const pass = (seconds: number) => void (offsetMs += seconds * 1000)
  return { environment: { ...environment, ...queues }, describe, pass, close }
}

export type ServiceName = 'api' | 'upload-watcher' | 'scan-dispatcher'

const startsWithinMs = 20_000

/** Begins one service as its npm command does, and waits until it is ready; ends it when it does not become so. */
export const startService = async (name: ServiceName, environment: Record<string, string>) => {
  const { child, output, ended } = startProcess(`services/${name}/main.ts`, [], environment)
  const end = (signal: 'SIGTERM' | 'SIGKILL') => {
    child.kill(signal)
    return ended
  }
  const readStarted = () => {
    if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}:\n${output()}`)
    const line = /^\{.* (?:is ready|has started and waits)"\}$/m.exec(output())?.[0]
    return line === undefined ? undefined : (JSON.parse(line) as { url?: string; health: string }) // the service's own
  }
  try {
    const started = await eventually(readStarted, `${name} to start`, startsWithinMs)
    await eventually(() => isReady(started.health), `${name} to be ready`, startsWithinMs)
    return { ...started, output, end }
  } catch (error) {
    await end('SIGKILL')
    throw new Error(`${name} did not start:\n${output()}`, { cause: error })
  }
}

const isReady = async (health: string) => {
  const answer = await fetch(`${health}/readyz`)
  await answer.arrayBuffer()
  return answer.status === 200
}
