import { join } from 'node:path'

import { localJwtSecret, type LocalSystem } from '#shared/domain/local-mode.ts'
import type { Config } from '#shared/runtime/config.ts'

import type { localVariables } from './config.ts'

export const region = 'eu-central-1'
export const credentials = { accessKeyId: 'local-access-key', secretAccessKey: 'local-secret-key' }
export const bucketNames = { bucket: 'local-images', stateBucket: 'local-images-state' }
/** Where the CDN stands on the port of S3: no bucket's name may begin with an underscore. */
export const cdnMount = '/_cdn/'

export type QueueUrls = { uploads: string; quarantine: string; jobs: string }
type LocalConfig = Config<typeof localVariables>

/** After a kill, messages that were in hand come back so late. */
const visibilitySeconds = '5'

/** How a Kafka of one's own is reached, besides its brokers. */
const kafkaAccess = [
  'KAFKA_SSL',
  'KAFKA_SSL_CA',
  'KAFKA_SASL_MECHANISM',
  'KAFKA_SASL_USERNAME',
  'KAFKA_SASL_PASSWORD',
] as const

/** One developer's tools stand for all users of an installation. */
const callsPerMinute = '60000'

/** What the API takes from the environment of `npm start`. */
const apiChoices = ['TICKET_SECONDS', 'MAX_CONNECTIONS', 'S3_CREATE_ONLY'] as const

/** What the upload-watcher takes from there, and the scan-dispatcher. */
const watcherChoices = ['REJECTED_ACTION'] as const
const dispatcherChoices = ['DISPATCH_PURPOSES'] as const

const pick = (environment: NodeJS.ProcessEnv, names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, environment[name]]))

/** The environment that the services read, as if each ran alone. */
export const serviceEnvironment = (config: LocalConfig, dataPath: string, awsUrl: string) => ({
  AWS_REGION: region,
  AWS_ACCESS_KEY_ID: credentials.accessKeyId,
  AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  AWS_ENDPOINT_URL_S3: awsUrl,
  AWS_ENDPOINT_URL_SQS: awsUrl,
  S3_FORCE_PATH_STYLE: 'true',
  S3_BUCKET: bucketNames.bucket,
  STATE_BUCKET: bucketNames.stateBucket,
  CDN_BASE_URL: `${awsUrl}${cdnMount}`,
  CORS_ORIGINS: config.CORS_ORIGINS.join(','),
  EVENT_LOG: config.KAFKA_BROKERS ? 'kafka' : `sqlite:${join(dataPath, 'events.sqlite')}`,
  KAFKA_BROKERS: config.KAFKA_BROKERS?.join(','),
  // A developer's Kafka is one broker.
  KAFKA_REPLICATION: '1',
  KAFKA_MIN_INSYNC: '1',
  ...pick(process.env, ['KAFKA_CLIENT_ID', 'KAFKA_GROUP_ID', ...kafkaAccess]),
  JWT_SECRET: localJwtSecret,
  RATE_LIMIT_PER_MINUTE: process.env['RATE_LIMIT_PER_MINUTE'] ?? callsPerMinute,
  ...pick(process.env, [...apiChoices, ...watcherChoices, ...dispatcherChoices]),
  PORT: String(config.PORT),
  HEALTH_PORT: '0',
  UPLOADS_VISIBILITY_SECONDS: visibilitySeconds,
})

export type ServiceEnvironment = ReturnType<typeof serviceEnvironment>

export const queueEnvironment = ({ uploads, quarantine, jobs }: QueueUrls) => ({
  UPLOADS_QUEUE_URL: uploads,
  QUARANTINE_QUEUE_URL: quarantine,
  JOBS_QUEUE_URL: jobs,
})

export const describeSystem = (environment: ServiceEnvironment, queues: QueueUrls, apiUrl: string): LocalSystem => ({
  pid: process.pid,
  api_url: apiUrl,
  aws_url: environment.AWS_ENDPOINT_URL_S3,
  region,
  access_key_id: credentials.accessKeyId,
  secret_access_key: credentials.secretAccessKey,
  bucket: bucketNames.bucket,
  state_bucket: bucketNames.stateBucket,
  uploads_queue_url: queues.uploads,
  quarantine_queue_url: queues.quarantine,
  jobs_queue_url: queues.jobs,
  cdn_base_url: environment.CDN_BASE_URL.replace(/\/$/, ''),
  event_log: environment.KAFKA_BROKERS === undefined ? environment.EVENT_LOG : `kafka:${environment.KAFKA_BROKERS}`,
})
