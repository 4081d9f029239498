import { queueNames } from '../shared/domain/resources.ts'
import type { Access, BucketRole, Target } from './access.ts'

/** A statement of a policy, as IAM reads it. ARNs may be tokens of the template. */
export type Statement = {
  Sid?: string
  Effect: 'Allow' | 'Deny'
  Principal?: '*' | Readonly<Record<string, string>>
  Action: readonly string[]
  Resource: readonly string[]
  Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>
}

export type Policy<One = Statement> = { Version: '2012-10-17'; Statement: readonly One[] }

export const policy = <One = Statement>(...statements: readonly One[]): Policy<One> => ({
  Version: '2012-10-17',
  Statement: statements,
})

/** Where the targets of the access table are. */
export type Arns = {
  bucket: (role: BucketRole) => string
  queue: (name: string) => string
  /** Undefined where no row needs it. */
  distribution?: string | undefined
  mskCluster?: string | undefined
}

/** The statement that gives one row of the access table its right. */
export const allow = ({ calls, on }: Access, arns: Arns): Statement => ({
  Effect: 'Allow',
  Action: calls,
  Resource: resourcesOf(on, arns),
  ...(on.kind === 'listing' ? { Condition: onlyKeys(calls, on.prefixes) } : {}),
})

/**
 * s3:ListBucket is also what HeadBucket needs, and a GET whose missing key is to be a 404; those name no prefix. IfExists
 * lets them through, and with them a listing without a prefix: S3 has no right for HeadBucket alone.
 */
const onlyKeys = (calls: readonly string[], prefixes: readonly string[]) => {
  const operator = calls.includes('s3:ListBucket') ? 'StringLikeIfExists' : 'StringLike'
  return { [operator]: { 's3:prefix': prefixes.map((prefix) => `${prefix}*`) } }
}

const resourcesOf = (on: Target, arns: Arns): string[] => {
  switch (on.kind) {
    case 'objects':
      return on.prefixes.map((prefix) => `${arns.bucket(on.bucket)}/${prefix}*`)
    case 'listing':
      return [arns.bucket(on.bucket)]
    case 'queue':
      return [arns.queue(queueNames[on.queue])]
    case 'distribution':
      return [known(arns.distribution, 'distribution')]
    case 'cluster':
      return [known(arns.mskCluster, 'MSK cluster')]
    case 'topics':
      return on.topics.map((topic) => partOf(arns, 'topic', topic))
    case 'group':
      return [partOf(arns, 'group', on.group)]
    default:
      throw new Error(`no such target: ${JSON.stringify(on satisfies never)}`)
  }
}

/** `arn:...:cluster/NAME/UUID` has its topics at `arn:...:topic/NAME/UUID/TOPIC`, and its groups likewise. */
const partOf = ({ mskCluster }: Arns, kind: 'topic' | 'group', name: string) =>
  `${known(mskCluster, 'MSK cluster').replace(':cluster/', `:${kind}/`)}/${name}`

const known = (arn: string | undefined, what: string) => {
  if (arn === undefined) throw new Error(`the access table needs a ${what}, and there is none`)
  return arn
}
