import { isDeepStrictEqual } from 'node:util'

import {
  CreateBucketCommand,
  DeleteBucketCorsCommand,
  GetBucketCorsCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketNotificationConfigurationCommand,
  HeadBucketCommand,
  PutBucketCorsCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketNotificationConfigurationCommand,
  type BucketLocationConstraint,
  type Event,
  type LifecycleRule,
  type S3Client,
} from '@aws-sdk/client-s3'

import type { BucketSpec, CorsSpec, LifecycleSpec, NotificationSpec } from '#shared/domain/resources.ts'

import { awsFailure, statusOf } from '../aws/failures.ts'

type Options = { client: S3Client; region: string; queueArn: (name: string) => string }

/**
 * Makes the buckets as the specs say; a bucket's queues must exist. What is right already is left alone. Answers what was
 * done, one sentence each.
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

const provisionBucket = async (options: Options, spec: BucketSpec) => {
  const { client, region, queueArn } = options
  const Bucket = spec.name
  const settings = [
    corsSetting(spec.cors),
    lifecycleSetting(spec.lifecycle),
    notificationSetting(spec.notifications, queueArn),
  ]
  const changes: string[] = []
  if (!(await bucketExists(client, Bucket))) {
    await createBucket(client, Bucket, region)
    changes.push(`bucket ${Bucket}: created`)
  }
  for (const { name, wanted, read, write } of settings) {
    if (isDeepStrictEqual(await read(client, Bucket), wanted)) continue
    await write(client, Bucket)
    changes.push(`bucket ${Bucket}: set ${name}`)
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

const createBucket = (client: S3Client, Bucket: string, region: string) =>
  client.send(
    new CreateBucketCommand({
      Bucket,
      // us-east-1 is the one region that must not be named. The SDK lists those it knew when it was made.
      ...(region === 'us-east-1'
        ? {}
        : { CreateBucketConfiguration: { LocationConstraint: region as BucketLocationConstraint } }),
    }),
  )

/** One part of a bucket's configuration: `read` and `wanted` have the same form when nothing is to be done. */
type Setting = {
  name: string
  wanted: unknown
  read: (client: S3Client, bucket: string) => Promise<unknown>
  write: (client: S3Client, bucket: string) => Promise<unknown>
}

const sorted = (values: readonly string[] | undefined) => [...(values ?? [])].sort()

/** Stores give rules back in an order of their own. */
const byId = <Rule extends { id: string | undefined }>(rules: readonly Rule[]) =>
  rules.toSorted((a, b) => ((a.id ?? '') < (b.id ?? '') ? -1 : 1))

/** S3 answers 404 where nothing was ever configured. */
const orNone = async <T>(read: Promise<T[] | undefined>) => {
  try {
    return (await read) ?? []
  } catch (error) {
    if (statusOf(error) === 404) return []
    throw error
  }
}

const corsSetting = (specs: readonly CorsSpec[]): Setting => {
  const CORSRules = specs.map((spec) => ({
    AllowedOrigins: sorted(spec.origins),
    AllowedMethods: sorted(spec.methods),
    AllowedHeaders: sorted(spec.headers),
    ExposeHeaders: sorted(spec.exposed),
    MaxAgeSeconds: spec.maxAgeSeconds,
  }))
  return {
    name: 'CORS',
    wanted: CORSRules,
    read: async (client, Bucket) => {
      const rules = await orNone(client.send(new GetBucketCorsCommand({ Bucket })).then((answer) => answer.CORSRules))
      return rules.map((rule) => ({
        AllowedOrigins: sorted(rule.AllowedOrigins),
        AllowedMethods: sorted(rule.AllowedMethods),
        AllowedHeaders: sorted(rule.AllowedHeaders),
        ExposeHeaders: sorted(rule.ExposeHeaders),
        MaxAgeSeconds: rule.MaxAgeSeconds,
      }))
    },
    // An empty list of rules is refused; none is said by deleting.
    write: (client, Bucket) =>
      CORSRules.length === 0
        ? client.send(new DeleteBucketCorsCommand({ Bucket }))
        : client.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules } })),
  }
}

const lifecycleSetting = (specs: readonly LifecycleSpec[]): Setting => ({
  name: 'lifecycle',
  wanted: byId(specs),
  read: async (client, Bucket) => {
    const answer = client.send(new GetBucketLifecycleConfigurationCommand({ Bucket }))
    const rules = await orNone(answer.then(({ Rules }) => Rules))
    return byId(rules.filter(({ Status }) => Status === 'Enabled').map(readRule))
  },
  write: (client, Bucket) =>
    client.send(
      new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules: specs.map(toRule) } }),
    ),
})

const toRule = (spec: LifecycleSpec): LifecycleRule =>
  'prefix' in spec
    ? { ID: spec.id, Status: 'Enabled', Filter: { Prefix: spec.prefix }, Expiration: { Days: spec.expireDays } }
    : {
        ID: spec.id,
        Status: 'Enabled',
        Filter: { Prefix: '' },
        AbortIncompleteMultipartUpload: { DaysAfterInitiation: spec.abortMultipartDays },
      }

const readRule = (rule: LifecycleRule) => {
  const days = rule.AbortIncompleteMultipartUpload?.DaysAfterInitiation
  return days === undefined
    ? { id: rule.ID, prefix: rule.Filter?.Prefix, expireDays: rule.Expiration?.Days }
    : { id: rule.ID, abortMultipartDays: days }
}

const notificationSetting = (specs: readonly NotificationSpec[], queueArn: (name: string) => string): Setting => {
  const wanted = specs.map(({ id, queue, prefix, events }) => ({
    id,
    arn: queueArn(queue),
    prefix,
    events: sorted(events),
  }))
  const QueueConfigurations = wanted.map(({ id, arn, prefix, events }) => ({
    Id: id,
    QueueArn: arn,
    // The table's names are S3's own.
    Events: events as Event[],
    Filter: { Key: { FilterRules: [{ Name: 'prefix' as const, Value: prefix }] } },
  }))
  return {
    name: 'notifications',
    wanted: byId(wanted),
    read: async (client, Bucket) => {
      const answer = await client.send(new GetBucketNotificationConfigurationCommand({ Bucket }))
      const found = (answer.QueueConfigurations ?? []).map(({ Id, QueueArn, Events, Filter }) => ({
        id: Id,
        arn: QueueArn,
        prefix: Filter?.Key?.FilterRules?.find(({ Name }) => Name?.toLowerCase() === 'prefix')?.Value,
        events: sorted(Events),
      }))
      return byId(found)
    },
    write: (client, Bucket) =>
      client.send(
        new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration: { QueueConfigurations } }),
      ),
  }
}
