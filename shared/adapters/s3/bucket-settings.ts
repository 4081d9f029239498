import {
  DeleteBucketCorsCommand,
  GetBucketCorsCommand,
  GetBucketLifecycleConfigurationCommand,
  PutBucketCorsCommand,
  PutBucketLifecycleConfigurationCommand,
  type LifecycleRule,
} from '@aws-sdk/client-s3'

import type { BucketSpec, CorsSpec, LifecycleSpec } from '#shared/domain/resources.ts'

import { notificationSetting, type QueueArn } from './bucket-notifications.ts'
import { byId, orNone, sorted, type Setting } from './setting.ts'

export const bucketSettings = (spec: BucketSpec, queueArn: QueueArn): Setting[] => [
  corsSetting(spec.cors),
  lifecycleSetting(spec.lifecycle),
  notificationSetting(spec.notifications, queueArn),
]

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
