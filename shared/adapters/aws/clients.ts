import { S3Client } from '@aws-sdk/client-s3'
import { SQSClient } from '@aws-sdk/client-sqs'
import { z } from 'zod'

import { given } from '#shared/domain/given.ts'
import { booleanSchema, ConfigError, urlSchema, variable, type Config } from '#shared/runtime/config.ts'

import type { AwsCredentials } from './credentials.ts'

/** Keys and tokens are such; what comes along with a copied value, as a line end does, would fail call by call. */
const printable = z.string().regex(/^[\x21-\x7e]+$/, {
  error: 'holds a space, a line end or another character that stands in none',
})

/** Without a pair of keys here the SDK's provider chain finds credentials (profile, container, instance). */
export const awsVariables = {
  AWS_REGION: variable('Region of the buckets and queues.', 'eu-central-1', z.string().min(1)),
  AWS_ENDPOINT_URL_S3: variable('Where S3 answers, if not on AWS.', 'http://127.0.0.1:4566', urlSchema.optional()),
  AWS_ENDPOINT_URL_SQS: variable('Where SQS answers, if not on AWS.', 'http://127.0.0.1:4566', urlSchema.optional()),
  S3_FORCE_PATH_STYLE: variable(
    'Whether the bucket stands in the path and not in the host name, as most stores other than AWS want it.',
    'true',
    booleanSchema.default(false),
  ),
  AWS_ACCESS_KEY_ID: variable(
    'Access key, with its secret; without both the SDK looks elsewhere.',
    'AKIA...',
    printable.optional(),
  ),
  AWS_SECRET_ACCESS_KEY: variable('Secret of the access key.', '...', printable.optional(), { secret: true }),
  AWS_SESSION_TOKEN: variable('Session of temporary keys.', '...', printable.optional(), { secret: true }),
}

type AwsConfig = Config<typeof awsVariables>

const credentialsOf = (config: AwsConfig) => {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = config
  if (accessKeyId === undefined && secretAccessKey === undefined) return undefined
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw new ConfigError('of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY only one is set: set both, or none')
  }
  return { accessKeyId, secretAccessKey, ...given({ sessionToken: config.AWS_SESSION_TOKEN }) }
}

/** Two tries: longer outages are waited for by the callers, who know what else must stop meanwhile. */
const maxAttempts = 2

/** The limits of all connections, the SDK's and those of the hot calls. */
export const connectTimeoutMs = 2_000
export const maxConnections = 100
/** Longest time without a byte. Of SQS it is longer than the longest long poll, 20 s. */
export const silenceMs = { S3: 5_000, SQS: 25_000 } as const

/** What both clients are opened with. */
const common = (config: AwsConfig, socketTimeout: number) => ({
  region: config.AWS_REGION,
  maxAttempts,
  requestHandler: {
    connectionTimeout: connectTimeoutMs,
    // Not requestTimeout: that one only warns, and says nothing of a body that stalls.
    socketTimeout,
    httpAgent: { maxSockets: maxConnections },
    httpsAgent: { maxSockets: maxConnections },
  },
  ...given({ credentials: credentialsOf(config) }),
})

/** `endpoint` and `credentials` stand in for those of the configuration. */
export const openS3 = (config: AwsConfig, endpoint = config.AWS_ENDPOINT_URL_S3, credentials?: AwsCredentials) =>
  new S3Client({
    ...common(config, silenceMs.S3),
    ...given({ credentials }),
    forcePathStyle: config.S3_FORCE_PATH_STYLE,
    // The SDK's default would add a CRC32 of its own to every upload, also (of an empty body) to presigned URLs.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    ...given({ endpoint }),
  })

export const openSqs = (config: AwsConfig) =>
  new SQSClient({ ...common(config, silenceMs.SQS), ...given({ endpoint: config.AWS_ENDPOINT_URL_SQS }) })
