import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

import { PutObjectCommand, type PutObjectCommandInput, S3Client } from '@aws-sdk/client-s3'
import { SQSClient } from '@aws-sdk/client-sqs'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'

import { listenOnLoopback, type LocalAws, type LocalAwsOptions, openLocalAws } from '../../../local/aws/server.ts'

export const region = 'us-east-1'
export const credentials = { accessKeyId: 'local-key', secretAccessKey: 'local-secret' }

// A connection that outlived a restart of the service would fail the next call.
const requestHandler = { httpAgent: { keepAlive: false } }

export type TestAws = {
  url: string
  directory: string
  aws: LocalAws
  s3: S3Client
  sqs: SQSClient
  /** Moves the service's clock, not the clients'. */
  advance: (ms: number) => void
  /** Closes the service and opens it on the same directory and port. */
  restart: () => Promise<void>
}

/** A service on a free port and SDK clients for it; all of it is gone when the test ends. */
export const openTestAws = async (context: TestContext, options: Partial<LocalAwsOptions> = {}): Promise<TestAws> => {
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'local-aws-')))
  let offsetMs = 0
  const open = () => openLocalAws({ directory, region, credentials, now: () => Date.now() + offsetMs, ...options })
  let aws = open()
  let server = await listenOnLoopback((request, response) => aws.handle(request, response), 0)
  const s3 = testS3Client(server.url)
  const sqs = new SQSClient({ endpoint: server.url, region, credentials, requestHandler, maxAttempts: 1 })
  context.after(async () => {
    s3.destroy()
    sqs.destroy()
    await server.close()
    aws.close()
    await rm(directory, { recursive: true, force: true })
  })
  return {
    url: server.url,
    directory,
    get aws() {
      return aws
    },
    s3,
    sqs,
    advance: (ms) => (offsetMs += ms),
    restart: async () => {
      await server.close()
      aws.close()
      aws = open()
      server = await listenOnLoopback((request, response) => aws.handle(request, response), server.port)
    },
  }
}

export const testS3Client = (endpoint: string, overrides: Partial<ConstructorParameters<typeof S3Client>[0]> = {}) =>
  new S3Client({ endpoint, region, credentials, forcePathStyle: true, requestHandler, maxAttempts: 1, ...overrides })

/** A URL whose signature locks length, type, create-only and, when given, the checksum. */
export const presignPut = (
  endpoint: string,
  input: PutObjectCommandInput,
  options: {
    expiresIn?: number
    signingDate?: Date
    client?: Partial<ConstructorParameters<typeof S3Client>[0]>
    /** Further headers that must be sent as headers. */
    unhoistable?: string[]
  } = {},
): Promise<string> => {
  const { client: overrides, unhoistable = [], ...signing } = options
  const locked = ['x-amz-checksum-sha256', ...unhoistable]
  const client = testS3Client(endpoint, { requestChecksumCalculation: 'WHEN_REQUIRED', ...overrides })
  return getSignedUrl(client, new PutObjectCommand(input), {
    expiresIn: 300,
    ...signing,
    signableHeaders: new Set(['content-length', 'content-type', 'if-none-match', ...locked]),
    unhoistableHeaders: new Set(locked),
  })
}
