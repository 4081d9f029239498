import { isDeepStrictEqual } from 'node:util'

import {
  CreateBucketCommand,
  HeadBucketCommand,
  type BucketLocationConstraint,
  type S3Client,
} from '@aws-sdk/client-s3'

import type { BucketSpec } from '#shared/domain/resources.ts'

import { awsFailure, statusOf } from '../aws/failures.ts'
import type { QueueArn } from './bucket-notifications.ts'
import { bucketSettings } from './bucket-settings.ts'

type Options = {
  client: S3Client
  region: string
  queueArn: QueueArn
  dryRun: boolean
}

/**
 * Makes the buckets as the specs say; a bucket's queues must exist. What is right already is left alone. Answers what was
 * done, one sentence each; a dry run does nothing and answers what would be.
 */
export const provisionBuckets = async (options: Options, specs: readonly BucketSpec[]): Promise<string[]> => {
  const changes: string[] = []
  for (const spec of specs) {
    try {
      changes.push(...(await provisionBucket(options, spec)))
    } catch (error) {
      throw awsFailure('S3', `making the bucket ${spec.name}`, error)
    }
  }
  return changes
}

const provisionBucket = async ({ client, region, queueArn, dryRun }: Options, spec: BucketSpec) => {
  const Bucket = spec.name
  const changes: string[] = []
  const exists = await bucketExists(client, Bucket)
  if (!exists) {
    if (!dryRun) await createBucket(client, Bucket, region)
    changes.push(`bucket ${Bucket}: ${dryRun ? 'would be created' : 'created'}`)
  }
  for (const { name, wanted, read, write } of bucketSettings(spec, queueArn)) {
    const present = exists || !dryRun ? await read(client, Bucket) : []
    if (isDeepStrictEqual(present, wanted)) continue
    if (!dryRun) await write(client, Bucket)
    changes.push(`bucket ${Bucket}: ${dryRun ? 'would set' : 'set'} ${name}`)
  }
  return changes
}

const bucketExists = async (client: S3Client, Bucket: string) => {
  try {
    await client.send(new HeadBucketCommand({ Bucket }))
    return true
  } catch (error) {
    if (statusOf(error) === 404) return false
    throw error
  }
}

const createBucket = async (client: S3Client, Bucket: string, region: string) => {
  // us-east-1 is the one region that must not be named. The SDK lists those it knew when it was made.
  const LocationConstraint = region as BucketLocationConstraint
  const place = region === 'us-east-1' ? {} : { CreateBucketConfiguration: { LocationConstraint } }
  try {
    await client.send(new CreateBucketCommand({ Bucket, ...place }))
  } catch (error) {
    // Somebody who provisions at the same time was quicker.
    if (!(error instanceof Error && error.name === 'BucketAlreadyOwnedByYou')) throw error
  }
}
