import { CreateBucketCommand } from '@aws-sdk/client-s3'

import { s3JobLedger } from '#shared/adapters/s3/job-ledger.ts'
import { jobLedgerContract } from '../../../contract/job-ledger.ts'
import { openLocal, region } from '../aws/local.ts'

jobLedgerContract('the S3 adapter with the local S3', async () => {
  const { s3, away, dispose } = await openLocal()
  const bucket = 'states'
  const CreateBucketConfiguration = { LocationConstraint: region } as const
  await s3.send(new CreateBucketCommand({ Bucket: bucket, CreateBucketConfiguration }))
  return {
    ledger: s3JobLedger({ client: s3, bucket }),
    other: s3JobLedger({ client: s3, bucket }),
    misplaced: s3JobLedger({ client: s3, bucket: 'no-such-bucket' }),
    away: s3JobLedger({ client: away.s3, bucket }),
    dispose,
  }
})
