import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'

import { given } from '#shared/domain/given.ts'
import type { UploadLocks, UploadSigner } from '#shared/ports/object-store.ts'

import { awsFailure } from '../aws/failures.ts'

/** What the presigner leaves unsigned by default, or moves to the query where S3 ignores it. */
const locked = new Set(['host', 'content-length', 'content-type', 'if-none-match', 'x-amz-checksum-sha256'])

/** Presigned PUTs by the AWS SDK. `client` names the address that uploaders use. */
export const s3UploadSigner = ({ client, bucket }: { client: S3Client; bucket: string }): UploadSigner => ({
  sign: async (locks, now) => {
    try {
      const url = await getSignedUrl(client, putCommand(bucket, locks), {
        expiresIn: locks.expiresInSeconds,
        signingDate: now,
        signableHeaders: locked,
        unhoistableHeaders: locked,
      })
      return { url, method: 'PUT', requiredHeaders: requiredHeaders(locks) }
    } catch (error) {
      throw awsFailure('S3', 'signing a ticket', error)
    }
  },
})

const putCommand = (bucket: string, locks: UploadLocks) =>
  new PutObjectCommand({
    Bucket: bucket,
    Key: locks.key,
    ContentType: locks.contentType,
    ContentLength: locks.contentLength,
    IfNoneMatch: '*',
    ...given({ ChecksumSHA256: locks.checksumSha256 }),
  })

const requiredHeaders = (locks: UploadLocks) => ({
  'Content-Type': locks.contentType,
  'If-None-Match': '*',
  ...given({ 'x-amz-checksum-sha256': locks.checksumSha256 }),
})
