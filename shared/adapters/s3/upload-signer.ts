import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'

import { given } from '#shared/domain/given.ts'
import { ticketHeaders } from '#shared/domain/resources.ts'
import { SetupError } from '#shared/ports/failures.ts'
import type { SignedUpload, UploadLocks, UploadSigner } from '#shared/ports/object-store.ts'

import { keepCredentials, lifeLeftMs, type AwsCredentials } from '../aws/credentials.ts'
import { findBucketTarget } from '../aws/target.ts'
import { presigner } from './presign.ts'

/** A client that names the address which uploaders use; with these credentials, or those that the process finds. */
export type OpenClient = (credentials?: AwsCredentials) => S3Client

/**
 * Presigned PUTs by a signer of our own: the SDK's costs a hundred times as much. Before anything else both sign the same
 * samples, with credentials of no worth.
 * @throws SetupError when the two differ: what S3 would make of such URLs nobody knows
 */
export const openUploadSigner = async (openClient: OpenClient, bucket: string): Promise<UploadSigner> => {
  const { config } = openClient()
  const { region, origin, host, path } = await findBucketTarget(openClient(testKeys), bucket)
  const presign = presigner(region, { origin, host, pathPrefix: path })
  await compareWithSdk(openClient, bucket, presign)
  const credentials = keepCredentials(config.credentials)
  const signWith = (found: AwsCredentials, locks: UploadLocks, now: Date): SignedUpload => {
    const leftSeconds = Math.floor(lifeLeftMs(found, now) / 1000)
    const expiresInSeconds = Math.min(locks.expiresInSeconds, leftSeconds)
    const url = presign(found, locks, expiresInSeconds, now)
    return { url, method: 'PUT', requiredHeaders: requiredHeaders(locks), expiresInSeconds }
  }
  return {
    sign: (locks, now) => {
      const found = credentials(now)
      return found instanceof Promise ? found.then((fresh) => signWith(fresh, locks, now)) : signWith(found, locks, now)
    },
    ping: async () => {
      await credentials(new Date())
    },
  }
}

/** What the SDK's presigner leaves unsigned by default, or moves to the query where S3 ignores it. */
const locked = new Set(['host', 'content-length', ...ticketHeaders])

/** The same URL by the AWS SDK. */
export const presignBySdk = (client: S3Client, bucket: string, locks: UploadLocks, now: Date): Promise<string> => {
  const command = new PutObjectCommand({
    Bucket: bucket,
    Key: locks.key,
    ContentType: locks.contentType,
    ContentLength: locks.contentLength,
    ...given({
      IfNoneMatch: locks.createOnly ? '*' : undefined,
      ChecksumSHA256: locks.checksumSha256,
      Metadata: locks.traceparent === undefined ? undefined : { traceparent: locks.traceparent },
    }),
  })
  return getSignedUrl(client, command, {
    expiresIn: locks.expiresInSeconds,
    signingDate: now,
    signableHeaders: locked,
    unhoistableHeaders: locked,
  })
}

/** The samples need no more than a key's characters, and each lock once there and once not. */
const plain: UploadLocks = {
  key: 'scans/20260101/user-1_2f/00000000000000000000000000000000',
  contentType: 'image/jpeg',
  contentLength: 1,
  createOnly: false,
  expiresInSeconds: 300,
}
const whole: UploadLocks = {
  ...plain,
  createOnly: true,
  checksumSha256: '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=',
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
}
const testKeys = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }

const compareWithSdk = async (openClient: OpenClient, bucket: string, presign: ReturnType<typeof presigner>) => {
  for (const credentials of [testKeys, { ...testKeys, sessionToken: 'a/session+token==' }]) {
    const client = openClient(credentials)
    for (const locks of [plain, whole]) {
      const now = new Date()
      const theirs = await presignBySdk(client, bucket, locks, now)
      if (presign(credentials, locks, locks.expiresInSeconds, now) === theirs) continue
      throw new SetupError('tickets would be signed otherwise than the AWS SDK signs them: this build must not run')
    }
  }
}

const requiredHeaders = (locks: UploadLocks) => {
  const headers: Record<string, string> = { 'Content-Type': locks.contentType }
  if (locks.createOnly) headers['If-None-Match'] = '*'
  if (locks.checksumSha256 !== undefined) headers['x-amz-checksum-sha256'] = locks.checksumSha256
  if (locks.traceparent !== undefined) headers['x-amz-meta-traceparent'] = locks.traceparent
  return headers
}
