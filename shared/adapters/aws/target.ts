import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs'
import { z } from 'zod'

import { SetupError } from '#shared/ports/failures.ts'

import { encodePath } from './uri.ts'

/** Where the calls on one bucket or queue go, and for whom they are signed. */
export type Target = {
  origin: string
  host: string
  /** Of S3 what stands before the encoded key, of SQS the whole path. */
  path: string
  /** `path` as it is signed. */
  canonicalPath: string
  region: string
  service: string
}

const requestSchema = z.object({
  protocol: z.enum(['http:', 'https:']),
  path: z.string().startsWith('/'),
  headers: z.object({ host: z.string(), authorization: z.string() }),
})

const probeKey = 'key'

/**
 * The SDK alone knows the rules of endpoints: regions and partitions, dual stack, path style, access points, a profile's
 * own endpoint. So it makes and signs one request for us, which is read here instead of being sent.
 * @throws SetupError when the calls need more than Signature Version 4; whatever keeps the SDK from signing
 */
export const findBucketTarget = async (client: S3Client, bucket: string): Promise<Target> => {
  const { catchRequest, caught } = requestCatcher()
  const command = new GetObjectCommand({ Bucket: bucket, Key: probeKey })
  command.middlewareStack.add(catchRequest, lastOfAll)
  await client.send(command)
  const target = readTarget('S3', caught())
  const path = target.path.slice(0, -probeKey.length)
  // S3 alone signs a path as it is sent.
  return { ...target, path, canonicalPath: path }
}

/** As `findBucketTarget`; without an endpoint of its own a client goes where the queue's URL points. */
export const findQueueTarget = async (client: SQSClient, queueUrl: string): Promise<Target> => {
  const { catchRequest, caught } = requestCatcher()
  const command = new ReceiveMessageCommand({ QueueUrl: queueUrl })
  command.middlewareStack.add(catchRequest, lastOfAll)
  await client.send(command)
  const target = readTarget('SQS', caught())
  return { ...target, canonicalPath: encodePath(target.path.replace(/\/{2,}/g, '/')) }
}

const lastOfAll = { step: 'finalizeRequest', priority: 'low', name: 'catchRequest' } as const

const requestCatcher = () => {
  let request: unknown
  const catchRequest = () => (args: { request: unknown }) => {
    request = args.request
    return Promise.resolve({ response: undefined, output: { $metadata: {} } })
  }
  return { catchRequest, caught: () => request }
}

const readTarget = (service: 'S3' | 'SQS', request: unknown) => {
  const { protocol, path, headers } = requestSchema.parse(request)
  const { host, authorization } = headers
  const scope = /^AWS4-HMAC-SHA256 Credential=.*\/\d{8}\/([^/]+)\/([^/]+)\/aws4_request,/.exec(authorization)
  const [, region, signedFor] = scope ?? []
  if (region === undefined || signedFor === undefined || signedFor === 's3express') {
    throw new SetupError(
      `${service}: ${host} wants signatures of a kind that only a plain bucket or queue does without`,
    )
  }
  return { origin: `${protocol}//${host}`, host, path, region, service: signedFor }
}
