import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'

type Upload = { bucket: string; key: string; contentType: string; contentLength: number }

const locked = new Set(['host', 'content-length', 'content-type', 'if-none-match'])

/** A presigned PUT as the SDK's own introduction writes it, with all that a ticket locks. */
export const signByIntroduction = (client: S3Client, upload: Upload, signingDate?: Date) =>
  getSignedUrl(
    client,
    new PutObjectCommand({
      Bucket: upload.bucket,
      Key: upload.key,
      ContentType: upload.contentType,
      ContentLength: upload.contentLength,
      IfNoneMatch: '*',
    }),
    { expiresIn: 300, signableHeaders: locked, unhoistableHeaders: locked, ...(signingDate && { signingDate }) },
  )
