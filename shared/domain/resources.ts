import { purposeNames, purposeRules } from './purposes.ts'

/** The names that an installation may choose. */
export type ResourceNames = { bucket: string; stateBucket: string }

export type BucketSpec = {
  name: string
  cors: readonly CorsSpec[]
  lifecycle: readonly LifecycleSpec[]
  notifications: readonly NotificationSpec[]
}
export type CorsSpec = {
  origins: readonly string[]
  methods: readonly string[]
  headers: readonly string[]
  exposed: readonly string[]
  maxAgeSeconds: number
}
export type LifecycleSpec =
  { id: string; prefix: string; expireDays: number } | { id: string; abortMultipartDays: number }
export type NotificationSpec = { id: string; queue: string; prefix: string; events: readonly string[] }
export type QueueSpec = {
  name: string
  fifo: boolean
  retentionSeconds: number
  visibilitySeconds: number
  deadLetters?: { queue: string; maxReceives: number }
  /** The bucket that may send to it. */
  notifiedBy?: string
}
export type TopicSpec = { name: string; partitions: number; retentionDays: number }

export type Resources = { buckets: readonly BucketSpec[]; queues: readonly QueueSpec[]; topics: readonly TopicSpec[] }

export const queueNames = {
  uploads: 'image-uploads',
  uploadsDeadLetters: 'image-uploads-dlq',
  quarantine: 'image-quarantine',
  jobs: 'vision-analysis-jobs.fifo',
  jobsDeadLetters: 'vision-analysis-jobs-dlq.fifo',
} as const

/** Headers that a ticket lets a browser send; CORS must allow exactly these. */
export const ticketHeaders = [
  'content-type',
  'if-none-match',
  'x-amz-checksum-sha256',
  'x-amz-meta-traceparent',
] as const

/** Everything that must exist for image-intake to run, as data: adapters apply it, tools and infrastructure read it. */
export const planResources = (names: ResourceNames, corsOrigins: readonly string[]): Resources => ({
  buckets: [
    {
      name: names.bucket,
      cors: corsOrigins.length === 0 ? [] : [uploadCors(corsOrigins)],
      lifecycle: [...imageLifecycle, { id: 'abort-multipart', abortMultipartDays: 1 }],
      notifications: imageNotifications,
    },
    { name: names.stateBucket, cors: [], lifecycle: stateLifecycle, notifications: [] },
  ],
  queues: planQueues(names.bucket),
  topics,
})

const uploadCors = (origins: readonly string[]): CorsSpec => ({
  origins,
  methods: ['PUT', 'GET', 'HEAD'],
  headers: ticketHeaders,
  exposed: ['ETag'],
  maxAgeSeconds: 3600,
})

/** First segments of all keys of ours, with their slashes. */
export const purposePrefixes = purposeNames.map((purpose) => purposeRules(purpose).prefix)

const cleanups = purposeNames.flatMap((purpose) => {
  const { prefix, keptDays } = purposeRules(purpose)
  return keptDays === undefined ? [] : [{ purpose, prefix, keptDays }]
})

const imageLifecycle: readonly LifecycleSpec[] = cleanups.map(({ purpose, prefix, keptDays }) => ({
  id: `${purpose}-cleanup`,
  prefix,
  expireDays: keptDays,
}))

/** State outlives its image by a day, so that what is said of an image never goes first. */
const stateLifecycle: readonly LifecycleSpec[] = [
  ...cleanups.map(({ purpose, prefix, keptDays }) => ({
    id: `${purpose}-verdict-cleanup`,
    prefix: `verdicts/${prefix}`,
    expireDays: keptDays + 1,
  })),
  { id: 'job-cleanup', prefix: 'jobs/', expireDays: (purposeRules('scan').keptDays ?? 0) + 1 },
]

const imageNotifications: readonly NotificationSpec[] = purposeNames.map((purpose) => ({
  id: `${purpose}-images`,
  queue: queueNames.uploads,
  prefix: purposeRules(purpose).prefix,
  events: ['s3:ObjectCreated:*', 's3:ObjectRemoved:*', 's3:LifecycleExpiration:*'],
}))

const retentionSeconds = 14 * 86_400
/** The net under the services' own count of five: releases, deploys and crashes raise a receive count too. */
const maxReceives = 20

const planQueues = (bucket: string): readonly QueueSpec[] => {
  const standard = { fifo: false, retentionSeconds, visibilitySeconds: 30 }
  const fifo = { fifo: true, retentionSeconds, visibilitySeconds: 120 }
  const { uploads, uploadsDeadLetters, quarantine, jobs, jobsDeadLetters } = queueNames
  return [
    { name: uploadsDeadLetters, ...standard },
    { name: uploads, ...standard, deadLetters: { queue: uploadsDeadLetters, maxReceives }, notifiedBy: bucket },
    { name: quarantine, ...standard },
    { name: jobsDeadLetters, ...fifo },
    { name: jobs, ...fifo, deadLetters: { queue: jobsDeadLetters, maxReceives } },
  ]
}

const eventTopics = ['image.uploaded', 'image.rejected', 'image.deleted', 'scan.dispatched', 'scan.analyzed']
/** Topics that a service of ours consumes, and so may fail on. */
export const consumedTopics = ['image.uploaded', 'image.deleted'] as const

/** Where a group puts the records of a topic that it gives up on. */
export const deadLetterTopic = (topic: string) => `${topic}.dead-letter`

/** The topics, the same in every installation. */
export const topics: readonly TopicSpec[] = [
  ...eventTopics.map((name) => ({ name, partitions: 12, retentionDays: 30 })),
  ...consumedTopics.map((name) => ({ name: deadLetterTopic(name), partitions: 1, retentionDays: 30 })),
]
