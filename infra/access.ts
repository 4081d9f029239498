import { purposePrefixes, topics, type queueNames } from '../shared/domain/resources.ts'
import type { Settings } from './settings.ts'

export const roleNames = ['api', 'upload-watcher', 'scan-dispatcher', 'cdn-invalidator'] as const
export type RoleName = (typeof roleNames)[number]

export type BucketRole = 'images' | 'state'
export type QueueRole = keyof typeof queueNames

/** What a call is made on. `listing`: the bucket itself, and of its keys those with these prefixes. */
export type Target =
  | { kind: 'objects'; bucket: BucketRole; prefixes: readonly string[] }
  | { kind: 'listing'; bucket: BucketRole; prefixes: readonly string[] }
  | { kind: 'queue'; queue: QueueRole }
  | { kind: 'distribution' }
  | { kind: 'cluster' }
  | { kind: 'topics'; topics: readonly string[] }
  | { kind: 'group'; group: string }

/** A choice of the settings without which a right is not given. */
export type Choice = 'rejected-are-deleted' | 'invalidation' | 'msk'

export type Access = {
  role: RoleName
  calls: readonly string[]
  on: Target
  why: string
  only?: readonly Choice[]
}

const images: Target = { kind: 'objects', bucket: 'images', prefixes: purposePrefixes }
const imageKeys: Target = { kind: 'listing', bucket: 'images', prefixes: purposePrefixes }
const objects = (...prefixes: string[]): Target => ({ kind: 'objects', bucket: 'state', prefixes })
const keys = (...prefixes: string[]): Target => ({ kind: 'listing', bucket: 'state', prefixes })
const queue = (name: QueueRole): Target => ({ kind: 'queue', queue: name })
const on = (...names: string[]): Target => ({ kind: 'topics', topics: names })

const isAbsent = 'what is missing is a 404 and not a 403; start and readiness ask for the bucket'

const cloud: readonly Access[] = [
  { role: 'api', calls: ['s3:PutObject'], on: images, why: 'tickets are signed in its name' },
  { role: 'api', calls: ['s3:GetObject'], on: images, why: 'metadata asks for the object' },
  { role: 'api', calls: ['s3:ListBucket'], on: imageKeys, why: isAbsent },
  { role: 'api', calls: ['s3:ListBucketVersions'], on: imageKeys, why: 'DELETE finds what there is of one key' },
  { role: 'api', calls: ['s3:DeleteObject', 's3:DeleteObjectVersion'], on: images, why: 'DELETE removes all of it' },
  { role: 'api', calls: ['s3:GetObject'], on: objects('verdicts/'), why: 'metadata tells the verdict' },
  { role: 'api', calls: ['s3:ListBucket'], on: keys('verdicts/'), why: isAbsent },

  {
    role: 'upload-watcher',
    calls: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:ChangeMessageVisibility', 'sqs:GetQueueAttributes'],
    on: queue('uploads'),
    why: 'takes notifications, in batches; asks whether the queue is there',
  },
  {
    role: 'upload-watcher',
    calls: ['sqs:SendMessage', 'sqs:GetQueueAttributes'],
    on: queue('quarantine'),
    why: 'puts aside what cannot be read',
  },
  {
    role: 'upload-watcher',
    calls: ['s3:GetObject', 's3:GetObjectVersion'],
    on: images,
    why: 'looks at the object, pinned to its version where it has one',
  },
  { role: 'upload-watcher', calls: ['s3:ListBucket'], on: imageKeys, why: isAbsent },
  {
    role: 'upload-watcher',
    calls: ['s3:DeleteObject', 's3:DeleteObjectVersion'],
    on: images,
    why: 'removes what it rejected',
    only: ['rejected-are-deleted'],
  },
  {
    role: 'upload-watcher',
    calls: ['s3:GetObject', 's3:PutObject'],
    on: objects('verdicts/'),
    why: 'keeps verdicts, and that a removal was told',
  },
  { role: 'upload-watcher', calls: ['s3:ListBucket'], on: keys('verdicts/'), why: isAbsent },

  {
    role: 'scan-dispatcher',
    calls: ['sqs:SendMessage', 'sqs:GetQueueAttributes'],
    on: queue('jobs'),
    why: 'sends jobs, in batches; asks whether the queue is there',
  },
  {
    role: 'scan-dispatcher',
    calls: ['s3:GetObject', 's3:PutObject'],
    on: objects('jobs/'),
    why: 'keeps the ledger of jobs',
  },
  { role: 'scan-dispatcher', calls: ['s3:ListBucket'], on: keys('jobs/'), why: isAbsent },

  {
    role: 'cdn-invalidator',
    calls: ['cloudfront:CreateInvalidation'],
    on: { kind: 'distribution' },
    why: 'takes what was removed or rejected out of the caches',
    only: ['invalidation'],
  },
]

const letters = (...names: string[]) => names.map((name) => `${name}.dead-letter`)
const deletions = ['image.deleted', 'image.rejected']
const everyTopic = topics.map(({ name }) => name)

type KafkaUse = {
  writes: readonly string[]
  consumes?: { topics: readonly string[]; group: string }
  checks: readonly string[]
  creates?: readonly string[]
  only?: Choice
}

const kafkaUses: Partial<Record<RoleName, KafkaUse>> = {
  'upload-watcher': { writes: ['image.uploaded', 'image.rejected', 'image.deleted'], checks: everyTopic },
  'scan-dispatcher': {
    writes: ['scan.dispatched', ...letters('image.uploaded')],
    consumes: { topics: ['image.uploaded'], group: 'scan-dispatcher' },
    checks: everyTopic,
  },
  'cdn-invalidator': {
    writes: letters(...deletions),
    consumes: { topics: deletions, group: 'cdn-invalidator' },
    checks: [...deletions, ...letters(...deletions)],
    creates: letters(...deletions),
    only: 'invalidation',
  },
}

/** Source: Amazon MSK Developer Guide, "Semantics of IAM authorization policy actions and resources". */
const kafkaRows = ([role, use]: [RoleName, KafkaUse]): Access[] => {
  const row = (calls: string[], target: Target, why: string): Access => ({
    role,
    calls: calls.map((call) => `kafka-cluster:${call}`),
    on: target,
    why,
    only: ['msk', ...(use.only ? [use.only] : [])],
  })
  const { writes, consumes, checks, creates } = use
  return [
    row(['Connect', 'DescribeCluster'], { kind: 'cluster' }, 'connects; asks whether the cluster is there'),
    row(['DescribeTopic', 'DescribeTopicDynamicConfiguration'], on(...checks), 'checks the topics at its start'),
    row(['WriteData'], on(...writes), 'publishes'),
    ...(creates ? [row(['CreateTopic'], on(...creates), 'makes its dead letters at its first start')] : []),
    ...(consumes
      ? [
          row(['ReadData'], on(...consumes.topics), 'consumes'),
          row(['AlterGroup', 'DescribeGroup'], { kind: 'group', group: consumes.group }, 'keeps its place'),
        ]
      : []),
  ]
}

/** Which service makes which call on what: all that a role may do, and nothing else. */
export const accessTable: readonly Access[] = [
  ...cloud,
  // Object.entries forgets the type of a closed literal's keys.
  ...(Object.entries(kafkaUses) as [RoleName, KafkaUse][]).flatMap(kafkaRows),
]

export const choicesOf = ({ rejectedAction, cdn, mskCluster }: Settings): ReadonlySet<Choice> => {
  const choices = new Set<Choice>()
  if (rejectedAction === 'delete') choices.add('rejected-are-deleted')
  if (cdn.invalidation) choices.add('invalidation')
  if (mskCluster !== undefined) choices.add('msk')
  return choices
}

/** The rows of one role that hold under these choices. */
export const accessOf = (role: RoleName, choices: ReadonlySet<Choice>): Access[] =>
  accessTable.filter((row) => row.role === role && (row.only ?? []).every((choice) => choices.has(choice)))
