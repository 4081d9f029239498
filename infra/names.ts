import { Aws } from 'aws-cdk-lib'

import type { BucketRole, RoleName } from './access.ts'
import type { Settings } from './settings.ts'

const bucketEnds: Readonly<Record<BucketRole | 'logs', string>> = { images: '', state: '-state', logs: '-logs' }

/**
 * Fixed by account and region, so that the queue's policy can name the bucket before it is there: a bucket that is asked
 * for its name stands behind the queue policy that it needs.
 */
export const bucketName = ({ name }: Settings, role: BucketRole | 'logs') =>
  `${name}${bucketEnds[role]}-${Aws.ACCOUNT_ID}-${Aws.REGION}`

export const bucketArn = (settings: Settings, role: BucketRole) =>
  `arn:${Aws.PARTITION}:s3:::${bucketName(settings, role)}`

/** A role's name may have 64 characters, and is the account's in all regions. */
export const roleId = ({ name }: Settings, role: RoleName) => `${name}-${role}-${Aws.REGION}`

export const roleArn = (settings: Settings, role: RoleName) =>
  `arn:${Aws.PARTITION}:iam::${Aws.ACCOUNT_ID}:role/${roleId(settings, role)}`

export const distributionArn = (id: string) => `arn:${Aws.PARTITION}:cloudfront::${Aws.ACCOUNT_ID}:distribution/${id}`

/** For what can't ask the queue itself without a cycle. */
export const queueArn = (name: string) => `arn:${Aws.PARTITION}:sqs:${Aws.REGION}:${Aws.ACCOUNT_ID}:${name}`
