import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, test } from 'node:test'

import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { CreateQueueCommand } from '@aws-sdk/client-sqs'

import { s3JobLedger } from '#shared/adapters/s3/job-ledger.ts'
import { s3ObjectStore } from '#shared/adapters/s3/object-store.ts'
import { openUploadSigner } from '#shared/adapters/s3/upload-signer.ts'
import { sqsJobQueue } from '#shared/adapters/sqs/job-queue.ts'
import { sqsMessageQueue } from '#shared/adapters/sqs/message-queue.ts'
import { given } from '#shared/domain/given.ts'

import { jobLedgerContract } from '../contract/job-ledger.ts'
import { jobQueueContract } from '../contract/job-queue.ts'
import { messageQueueContract } from '../contract/message-queue.ts'
import { objectStoreContract } from '../contract/object-store.ts'
import { drainJobs } from '../support/drain-jobs.ts'
import { chosenSeed, seededRandom } from '../support/random.ts'
import { tamperIn } from '../support/tampers.ts'
import { hasEngine } from './engine.ts'
import { region, startStore, type Store } from './store.ts'

const store = (await hasEngine()) ? await startStore() : undefined
after(() => store?.stop())

const createBucket = async ({ s3 }: Store) => {
  const Bucket = `test-${randomUUID()}`
  const CreateBucketConfiguration = { LocationConstraint: region } as const
  await s3.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration }))
  return Bucket
}

const createQueue = async ({ sqs }: Store, suffix = '', Attributes: Record<string, string> = {}) => {
  const QueueName = `test-${randomUUID()}${suffix}`
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName, Attributes }))
  assert.ok(QueueUrl)
  return { queueUrl: QueueUrl, elsewhere: QueueUrl.replace('test-', 'no-such-') }
}

if (store) {
  const { s3, sqs, away, pass, reset } = store
  const dispose = () => {
    reset()
    return Promise.resolve()
  }

  test('of 600 tickets with one byte of URL, locked header or body changed ministack takes none', async (context) => {
    const seed = chosenSeed()
    context.diagnostic(`SEED=${seed}`)
    await tamperIn(store, seededRandom(seed), 600)
  })

  test('a ticket that has expired is refused by ministack, one that has not is taken', async () => {
    const bucket = await createBucket(store)
    const signer = await openUploadSigner(store.openS3, bucket)
    const locks = {
      key: 'scans/a',
      contentType: 'image/png',
      contentLength: 1,
      createOnly: true,
      expiresInSeconds: 300,
    }
    const putAfter = async (seconds: number) => {
      const { url, requiredHeaders } = await signer.sign(locks, new Date(Date.now() - seconds * 1000))
      return (await fetch(url, { method: 'PUT', headers: requiredHeaders, body: 'x' })).status
    }
    assert.equal(await putAfter(302), 403)
    assert.equal(await putAfter(200), 200)
  })

  objectStoreContract('the S3 adapter with ministack', async () => {
    const bucket = await createBucket(store)
    return {
      store: s3ObjectStore({ client: s3, bucket }),
      misplaced: s3ObjectStore({ client: s3, bucket: 'no-such-bucket' }),
      away: s3ObjectStore({ client: away.s3, bucket }),
      upload: ({ key, bytes, contentType, metadata }) => {
        const more = given({ ContentType: contentType, Metadata: metadata && { ...metadata } })
        return s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: bytes, ...more }))
      },
    }
  })

  jobLedgerContract('the S3 adapter with ministack', async () => {
    const bucket = await createBucket(store)
    return {
      ledger: s3JobLedger({ client: s3, bucket }),
      other: s3JobLedger({ client: s3, bucket }),
      misplaced: s3JobLedger({ client: s3, bucket: 'no-such-bucket' }),
      away: s3JobLedger({ client: away.s3, bucket }),
    }
  })

  messageQueueContract('the SQS adapter with ministack', async () => {
    const { queueUrl, elsewhere } = await createQueue(store)
    return {
      queue: sqsMessageQueue({ client: sqs, queueUrl }),
      misplaced: sqsMessageQueue({ client: sqs, queueUrl: elsewhere }),
      away: sqsMessageQueue({ client: away.sqs, queueUrl }),
      pass,
      dispose,
    }
  })

  jobQueueContract('the SQS adapter with ministack', async () => {
    const { queueUrl, elsewhere } = await createQueue(store, '.fifo', { FifoQueue: 'true' })
    return {
      queue: sqsJobQueue({ client: sqs, queueUrl }),
      misplaced: sqsJobQueue({ client: sqs, queueUrl: elsewhere }),
      away: sqsJobQueue({ client: away.sqs, queueUrl }),
      drain: () => drainJobs(sqs, queueUrl),
      pass,
      dispose,
    }
  })
}
