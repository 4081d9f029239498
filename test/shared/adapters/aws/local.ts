import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { S3Client } from '@aws-sdk/client-s3'
import type { SQSClient } from '@aws-sdk/client-sqs'

import { awsVariables, openS3, openSqs } from '#shared/adapters/aws/clients.ts'
import type { AwsCredentials } from '#shared/adapters/aws/credentials.ts'
import type { OpenClient } from '#shared/adapters/s3/upload-signer.ts'
import { readConfig } from '#shared/runtime/config.ts'
import { listenOnLoopback, openLocalAws } from '../../../../local/aws/server.ts'

export const region = 'eu-central-1'
const credentials = { accessKeyId: 'test-key', secretAccessKey: 'test-secret' }

/** The clients that a service of ours has of the S3 and SQS at an address. */
export const openClients = (endpoint: string) => {
  const config = readConfig(awsVariables, {
    AWS_REGION: region,
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_ENDPOINT_URL_SQS: endpoint,
    S3_FORCE_PATH_STYLE: 'true',
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  })
  const [s3, sqs] = [openS3(config), openSqs(config)]
  const close = () => {
    s3.destroy()
    sqs.destroy()
  }
  const openS3With = (instead?: AwsCredentials) => openS3(config, endpoint, instead)
  return { s3, sqs, openS3: openS3With, close }
}

/** An address where nothing answers. */
export const closedAddress = async (): Promise<string> => {
  const { url, close } = await listenOnLoopback(() => undefined, 0)
  await close()
  return url
}

export type LocalAwsUnderTest = {
  url: string
  s3: S3Client
  sqs: SQSClient
  openS3: OpenClient
  /** Clients of an address where nothing answers. */
  away: { s3: S3Client; sqs: SQSClient }
  /** Moves the service's clock; the clients' stays, so that signatures are too old from 15 minutes on. */
  pass: (seconds: number) => void
  dispose: () => Promise<void>
}

/** The local S3 and SQS on a free port and a directory of their own. */
export const openLocal = async (): Promise<LocalAwsUnderTest> => {
  const directory = await mkdtemp(join(tmpdir(), 'adapters-'))
  let offsetMs = 0
  const aws = openLocalAws({ directory, region, credentials, now: () => Date.now() + offsetMs })
  const server = await listenOnLoopback(aws.handle, 0)
  const clients = openClients(server.url)
  const away = openClients(await closedAddress())
  const dispose = async () => {
    clients.close()
    away.close()
    await server.close()
    aws.close()
    await rm(directory, { recursive: true })
  }
  return { url: server.url, ...clients, away, pass: (seconds) => void (offsetMs += seconds * 1000), dispose }
}
