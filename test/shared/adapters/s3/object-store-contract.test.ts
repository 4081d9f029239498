import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3'

import { s3ObjectStore } from '#shared/adapters/s3/object-store.ts'
import { given } from '#shared/domain/given.ts'
import { objectStoreContract } from '../../../contract/object-store.ts'
import { openLocal, region } from '../aws/local.ts'

objectStoreContract('the S3 adapter with the local S3', async () => {
  const { s3, away, dispose } = await openLocal()
  const bucket = 'images'
  const CreateBucketConfiguration = { LocationConstraint: region } as const
  await s3.send(new CreateBucketCommand({ Bucket: bucket, CreateBucketConfiguration }))
  return {
    store: s3ObjectStore({ client: s3, bucket }),
    misplaced: s3ObjectStore({ client: s3, bucket: 'no-such-bucket' }),
    away: s3ObjectStore({ client: away.s3, bucket }),
    upload: ({ key, bytes, contentType, metadata }) => {
      const more = given({ ContentType: contentType, Metadata: metadata && { ...metadata } })
      return s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: bytes, ...more }))
    },
    dispose,
  }
})
