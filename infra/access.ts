import { dispatchPurposeNames } from '../shared/domain/dispatch-policy.ts'
import { purposeRules } from '../shared/domain/purposes.ts'
import { purposePrefixes, type queueNames } from '../shared/domain/resources.ts'
import { kafkaAccess } from './kafka-access.ts'
import type { Settings } from './settings.ts'

export const roleNames = ['api', 'upload-watcher', 'scan-dispatcher', 'vision-worker', 'cdn-invalidator'] as const
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
export type Choice = 'rejected-are-deleted' | 'worker' | 'invalidation' | 'msk'

export type Access = {
  role: RoleName
  calls: readonly string[]
  on: Target
  why: string
  only?: readonly Choice[]
}

const images: Target = { kind: 'objects', bucket: 'images', prefixes: purposePrefixes }
const imageKeys: Target = { kind: 'listing', bucket: 'images', prefixes: purposePrefixes }
/** Of the purposes that DISPATCH_PURPOSES may name. */
export const jobPrefixes = dispatchPurposeNames.map((purpose) => purposeRules(purpose).prefix)
const jobImages: Target = { ...images, prefixes: jobPrefixes }
const jobImageKeys: Target = { ...imageKeys, prefixes: jobPrefixes }
const objects = (...prefixes: string[]): Target => ({ kind: 'objects', bucket: 'state', prefixes })
const keys = (...prefixes: string[]): Target => ({ kind: 'listing', bucket: 'state', prefixes })
const queue = (name: QueueRole): Target => ({ kind: 'queue', queue: name })

const isAbsent = 'what is missing is a 404 and not a 403; start and readiness ask for the bucket'
const isGone = 'what is missing is a 404 and not a 403'
const withWorker = { only: ['worker'] } as const

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
    why: 'keeps the ledger of jobs, and which were cancelled',
  },
  { role: 'scan-dispatcher', calls: ['s3:ListBucket'], on: keys('jobs/'), why: isAbsent },

  {
    role: 'vision-worker',
    calls: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:ChangeMessageVisibility'],
    on: queue('jobs'),
    why: 'takes jobs',
    ...withWorker,
  },
  {
    role: 'vision-worker',
    calls: ['s3:GetObject', 's3:GetObjectVersion'],
    on: jobImages,
    why: 'reads the image, pinned to its version where it has one',
    ...withWorker,
  },
  { role: 'vision-worker', calls: ['s3:ListBucket'], on: jobImageKeys, why: isGone, ...withWorker },
  {
    role: 'vision-worker',
    calls: ['s3:GetObject', 's3:PutObject'],
    on: objects('jobs/'),
    why: 'looks whether a job was cancelled, claims it, keeps its result',
    ...withWorker,
  },
  { role: 'vision-worker', calls: ['s3:ListBucket'], on: keys('jobs/'), why: isGone, ...withWorker },

  {
    role: 'cdn-invalidator',
    calls: ['cloudfront:CreateInvalidation'],
    on: { kind: 'distribution' },
    why: 'takes what was removed or rejected out of the caches',
    only: ['invalidation'],
  },
]

/** Which service makes which call on what: all that a role may do, and nothing else. */
export const accessTable: readonly Access[] = [...cloud, ...kafkaAccess]

export const choicesOf = ({ rejectedAction, visionWorker, cdn, mskCluster }: Settings): ReadonlySet<Choice> => {
  const choices = new Set<Choice>()
  if (rejectedAction === 'delete') choices.add('rejected-are-deleted')
  if (visionWorker) choices.add('worker')
  if (cdn.invalidation) choices.add('invalidation')
  if (mskCluster !== undefined) choices.add('msk')
  return choices
}

/** The rows of one role that hold under these choices. */
export const accessOf = (role: RoleName, choices: ReadonlySet<Choice>): Access[] =>
  accessTable.filter((row) => row.role === role && (row.only ?? []).every((choice) => choices.has(choice)))
