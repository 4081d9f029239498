import { isDeepStrictEqual } from 'node:util'

import {
  CreateBucketCommand,
  HeadBucketCommand,
  type BucketLocationConstraint,
  type S3Client,
} from '@aws-sdk/client-s3'

import type { BucketSpec } from '#shared/domain/resources.ts'
import { RefusalError } from '#shared/ports/failures.ts'

import { awsFailure, statusOf } from '../aws/failures.ts'
import type { QueueArn } from './bucket-notifications.ts'
import { bucketSettings } from './bucket-settings.ts'
import type { Setting } from './setting.ts'

type Options = {
  client: S3Client
  region: string
  queueArn: QueueArn
  dryRun: boolean
}

/**
 * Makes the buckets as the specs say; a bucket's queues must exist. What is right already is left alone. Answers what was
 * done, one sentence each, behind those in `changes`; a dry run does nothing and answers what would be.
 * @throws RefusalError when a store cannot be set so or forbids it; all else is done, and the error's lines tell both
 */
export const provisionBuckets = async (
  options: Options,
  specs: readonly BucketSpec[],
  changes: string[] = [],
): Promise<string[]> => {
  const refusals: RefusalError[] = []
  for (const spec of specs) {
    try {
      await provisionBucket(options, spec, changes, refusals)
    } catch (error) {
      throw awsFailure('S3', `making the bucket ${spec.name}`, error)
    }
  }
  if (refusals.length === 0) return changes
  const [cause] = refusals
  throw new RefusalError([...changes, ...refusals.map(({ message }) => message)].join('\n'), { cause })
}

const provisionBucket = async (
  options: Options,
  spec: BucketSpec,
  changes: string[],
  refusals: RefusalError[],
): Promise<void> => {
  const { client, region, queueArn, dryRun } = options
  const Bucket = spec.name
  const exists = await bucketExists(client, Bucket)
  if (!exists) {
    if (!dryRun) await createBucket(client, Bucket, region)
    changes.push(`bucket ${Bucket}: ${dryRun ? 'would be created' : 'created'}`)
  }
  for (const setting of bucketSettings(spec, queueArn)) {
    try {
      const isChanged = await provisionSetting(options, Bucket, exists, setting)
      if (isChanged) changes.push(`bucket ${Bucket}: ${dryRun ? 'would set' : 'set'} ${setting.name}`)
    } catch (error) {
      refusals.push(asRefusal(error, `setting ${setting.name} of ${Bucket}`))
    }
  }
}

/** @returns whether something is, or in a dry run would be, changed */
const provisionSetting = async ({ client, dryRun }: Options, Bucket: string, exists: boolean, setting: Setting) => {
  const present = exists || !dryRun ? await setting.read(client, Bucket) : []
  if (isDeepStrictEqual(present, setting.wanted)) return false
  if (!dryRun) await setting.write(client, Bucket)
  return true
}

/** @throws what is no refusal */
const asRefusal = (error: unknown, about: string): RefusalError => {
  const cause = { cause: error }
  if (statusOf(error) === 501) return new RefusalError(`S3: ${about}: this store cannot (HTTP 501)`, cause)
  const failure = awsFailure('S3', about, error)
  if (failure instanceof RefusalError) return failure
  throw failure
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
