import kafkajs from 'kafkajs'
import type { Kafka, KafkaConfig as ClientConfig, LogEntry, SASLOptions } from 'kafkajs'

import { given } from '#shared/domain/given.ts'
import { SetupError } from '#shared/ports/failures.ts'
import type { Log } from '#shared/runtime/log.ts'

import { guardIdleTimer } from './idle-timer.ts'
import type { KafkaConfig } from './variables.ts'

/** Makes a client of its own: kafkajs shares what it knows of a group's offsets between the consumers of one client. */
export type OpenClient = () => Kafka

/** Joining a group may take its own time on top of this one. */
export const requestTimeoutMs = 10_000
/** Partitions that were added are found within this time. */
export const metadataMaxAgeMs = 15_000

/** @throws SetupError when the variables contradict each other */
export const clientOpener = (config: KafkaConfig, log: Log | undefined): OpenClient => {
  const { KAFKA_BROKERS, KAFKA_CLIENT_ID = 'image-intake', KAFKA_SSL = false, KAFKA_SSL_CA } = config
  if (!KAFKA_BROKERS) throw new SetupError('KAFKA_BROKERS is not set. For example: KAFKA_BROKERS=kafka-1:9092')
  guardIdleTimer()
  const settings: ClientConfig = {
    brokers: [...KAFKA_BROKERS],
    clientId: KAFKA_CLIENT_ID,
    ssl: KAFKA_SSL && { ...given({ ca: KAFKA_SSL_CA }) },
    connectionTimeout: 3_000,
    authenticationTimeout: 5_000,
    requestTimeout: requestTimeoutMs,
    // Longer outages are waited for by the callers, who know what else must stop meanwhile.
    retry: { retries: 2, initialRetryTime: 100, maxRetryTime: 1_000 },
    logCreator: () => (entry) => writeEntry(entry, log),
    ...given({ sasl: saslOf(config) }),
  }
  return () => new kafkajs.Kafka(settings)
}

const saslOf = (config: KafkaConfig): SASLOptions | undefined => {
  const { KAFKA_SASL_MECHANISM: mechanism, KAFKA_SASL_USERNAME: username, KAFKA_SASL_PASSWORD: password } = config
  if (mechanism === undefined) return undefined
  if (mechanism === 'aws-msk-iam') return mskIam(config)
  if (username === undefined || password === undefined)
    throw new SetupError(`KAFKA_SASL_MECHANISM=${mechanism} needs KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD.`)
  return { mechanism, username, password }
}

/** https://docs.aws.amazon.com/msk/latest/developerguide/iam-access-control.html */
const mskIam = ({ AWS_REGION: region, KAFKA_SSL }: KafkaConfig): SASLOptions => {
  if (region === undefined || !KAFKA_SSL)
    throw new SetupError('KAFKA_SASL_MECHANISM=aws-msk-iam needs AWS_REGION, and KAFKA_SSL=true.')
  const oauthBearerProvider = async () => {
    // Imported late: it brings all of AWS's credential providers along.
    const { generateAuthToken } = await import('aws-msk-iam-sasl-signer-js')
    const { token } = await generateAuthToken({ region })
    return { value: token }
  }
  return { mechanism: 'oauthbearer', oauthBearerProvider }
}

/** Ten a second during an outage: what matters is thrown as well, and told by whoever catches it. */
const writeEntry = ({ namespace, log: { message, ...details } }: LogEntry, log: Log | undefined) => {
  const { broker, groupId, retryCount, error } = details as Record<string, unknown> // free-form fields
  const fields = given({ part: `kafkajs ${namespace}`, broker, group: groupId, retryCount, detail: error })
  log?.debug(fields, message)
}
