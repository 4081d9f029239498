import { CfnDeletionPolicy, type Stack } from 'aws-cdk-lib'
import { CfnBucket } from 'aws-cdk-lib/aws-s3'

import type { BucketSpec, CorsSpec, LifecycleSpec, NotificationSpec } from '../shared/domain/resources.ts'
import { findQueue, type MadeQueue } from './queues.ts'

export type BucketOptions = {
  /** Keeps versions for so many days after they were removed or replaced; undefined: no versions. */
  noncurrentDays?: number | undefined
  queues: ReadonlyMap<string, MadeQueue>
}

/** A private bucket as the resources table says. What lies in it outlives the stack. */
export const makeBucket = (stack: Stack, id: string, spec: BucketSpec, options: BucketOptions): CfnBucket => {
  const { noncurrentDays, queues } = options
  const bucket = new CfnBucket(stack, id, {
    ...lockedBucket,
    bucketName: spec.name,
    ownershipControls: { rules: [{ objectOwnership: 'BucketOwnerEnforced' }] },
    lifecycleConfiguration: { rules: [...spec.lifecycle.map(lifecycleRule), ...versionRules(noncurrentDays)] },
    ...(noncurrentDays === undefined ? {} : { versioningConfiguration: { status: 'Enabled' } }),
    ...(spec.cors.length === 0 ? {} : { corsConfiguration: { corsRules: spec.cors.map(corsRule) } }),
    ...(spec.notifications.length === 0
      ? {}
      : {
          notificationConfiguration: {
            queueConfigurations: spec.notifications.flatMap((one) => notificationsOf(one, queues)),
          },
        }),
  })
  keep(bucket)
  // S3 asks whether it may send before it takes a notification's configuration.
  for (const { queue } of spec.notifications) bucket.addResourceDependency(findQueue(queues, queue).policy)
  return bucket
}

/** What every bucket has: no public access, and encryption by keys of S3. */
export const lockedBucket = {
  publicAccessBlockConfiguration: {
    blockPublicAcls: true,
    blockPublicPolicy: true,
    ignorePublicAcls: true,
    restrictPublicBuckets: true,
  },
  bucketEncryption: {
    serverSideEncryptionConfiguration: [{ serverSideEncryptionByDefault: { sseAlgorithm: 'AES256' } }],
  },
}

/** A first creation that fails takes the empty bucket back, so that it can be repeated under the same name. */
export const keep = (bucket: CfnBucket) => {
  bucket.cfnOptions.deletionPolicy = CfnDeletionPolicy.RETAIN_EXCEPT_ON_CREATE
  bucket.cfnOptions.updateReplacePolicy = CfnDeletionPolicy.RETAIN
}

const corsRule = ({ origins, methods, headers, exposed, maxAgeSeconds }: CorsSpec): CfnBucket.CorsRuleProperty => ({
  allowedOrigins: [...origins],
  allowedMethods: [...methods],
  allowedHeaders: [...headers],
  exposedHeaders: [...exposed],
  maxAge: maxAgeSeconds,
})

const lifecycleRule = (spec: LifecycleSpec): CfnBucket.RuleProperty =>
  'prefix' in spec
    ? { id: spec.id, status: 'Enabled', prefix: spec.prefix, expirationInDays: spec.expireDays }
    : {
        id: spec.id,
        status: 'Enabled',
        abortIncompleteMultipartUpload: { daysAfterInitiation: spec.abortMultipartDays },
      }

/** A marker that hides nothing any more goes with the last version: it would make every listing longer. */
const versionRules = (noncurrentDays: number | undefined): CfnBucket.RuleProperty[] =>
  noncurrentDays === undefined
    ? []
    : [
        {
          id: 'version-cleanup',
          status: 'Enabled',
          noncurrentVersionExpiration: { noncurrentDays },
          expiredObjectDeleteMarker: true,
        },
      ]

/** CloudFormation takes one kind of event per configuration. */
const notificationsOf = (
  { queue, prefix, events }: NotificationSpec,
  queues: ReadonlyMap<string, MadeQueue>,
): CfnBucket.QueueConfigurationProperty[] =>
  events.map((event) => ({
    event,
    queue: findQueue(queues, queue).queue.attrArn,
    filter: { s3Key: { rules: [{ name: 'prefix', value: prefix }] } },
  }))
