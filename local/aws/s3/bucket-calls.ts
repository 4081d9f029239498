import type { Database } from '../database.ts'
import { AwsError } from '../errors.ts'
import type { Sqs } from '../sqs/service.ts'
import { type S3Answer, type S3Call, xmlAnswer } from './answer.ts'
import type { Buckets } from './buckets.ts'
import { parseCors, renderCors } from './cors.ts'
import { describeTestEvent } from './events.ts'
import { parseLifecycle } from './lifecycle.ts'
import { owner } from './listing.ts'
import { parseNotifications, renderNotifications } from './notifications.ts'
import { parseVersioning, renderVersioning } from './versioning.ts'
import { childrenOf, element, parseXml, renderElement, textOf, xmlDocument } from './xml.ts'

export type BucketCalls = Readonly<Record<string, (call: S3Call) => S3Answer | Promise<S3Answer>>>

/** The calls on buckets and their configuration. */
export const openBucketCalls = (
  { database, buckets, sqs }: { database: Database; buckets: Buckets; sqs: Sqs },
  region: string,
  now: () => number,
) =>
  ({
    listBuckets: () => {
      const found = buckets
        .all()
        .map(({ name, createdMs }) =>
          element('Bucket', [element('Name', name), element('CreationDate', new Date(createdMs).toISOString())]),
        )
      return xmlAnswer(xmlDocument('ListAllMyBucketsResult', [owner, element('Buckets', found)]))
    },
    createBucket: async ({ bucket, readText }: S3Call) => {
      checkLocation(await readText(), region)
      // us-east-1 alone answers a repeat with success. Source: the S3 API reference, CreateBucket.
      if (!buckets.create(bucket) && region !== 'us-east-1')
        throw new AwsError(
          'BucketAlreadyOwnedByYou',
          409,
          'Your previous request to create the named bucket succeeded and you already own it.',
          { BucketName: bucket },
        )
      return { status: 200, headers: { location: `/${bucket}` } }
    },
    headBucket: ({ bucket }: S3Call) => {
      buckets.get(bucket)
      return { status: 200, headers: { 'x-amz-bucket-region': region } }
    },
    deleteBucket: ({ bucket }: S3Call) => {
      buckets.get(bucket)
      buckets.remove(bucket)
      return { status: 204 }
    },
    getLocation: ({ bucket }: S3Call) => {
      buckets.get(bucket)
      const { markup } = element('LocationConstraint', region === 'us-east-1' ? '' : region)
      return xmlAnswer(
        `<?xml version="1.0" encoding="UTF-8"?>\n${markup.replace('>', ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/">')}`,
      )
    },
    getVersioning: ({ bucket }: S3Call) => {
      const { versioning } = buckets.get(bucket)
      return xmlAnswer(xmlDocument('VersioningConfiguration', renderVersioning(versioning)))
    },
    putVersioning: async ({ bucket, readText }: S3Call) => {
      buckets.get(bucket)
      buckets.configure(bucket, 'versioning', parseVersioning(parseXml(await readText(), 'VersioningConfiguration')))
      return { status: 200 }
    },
    getNotifications: ({ bucket }: S3Call) =>
      xmlAnswer(xmlDocument('NotificationConfiguration', renderNotifications(buckets.get(bucket).notifications))),
    putNotifications: async ({ bucket, readText }: S3Call) => {
      buckets.get(bucket)
      const rules = parseNotifications(parseXml(await readText(), 'NotificationConfiguration'), sqs.target)
      const targets = [...new Set(rules.map(({ queueArn }) => queueArn))].map((arn) => sqs.target(arn))
      database.transaction(() => {
        buckets.configure(bucket, 'notifications', rules)
        for (const target of targets) target?.enqueue(describeTestEvent(bucket, now()))
      })
      for (const target of targets) target?.wake()
      return { status: 200 }
    },
    getCors: ({ bucket }: S3Call) => {
      const { cors } = buckets.get(bucket)
      if (!cors)
        throw new AwsError('NoSuchCORSConfiguration', 404, 'The CORS configuration does not exist', {
          BucketName: bucket,
        })
      return xmlAnswer(xmlDocument('CORSConfiguration', renderCors(cors)))
    },
    putCors: async ({ bucket, readText }: S3Call) => {
      buckets.get(bucket)
      buckets.configure(bucket, 'cors', parseCors(parseXml(await readText(), 'CORSConfiguration')))
      return { status: 200 }
    },
    deleteCors: ({ bucket }: S3Call) => {
      buckets.get(bucket)
      buckets.configure(bucket, 'cors', undefined)
      return { status: 204 }
    },
    getLifecycle: ({ bucket }: S3Call) => {
      const { lifecycle } = buckets.get(bucket)
      if (!lifecycle)
        throw new AwsError('NoSuchLifecycleConfiguration', 404, 'The lifecycle configuration does not exist', {
          BucketName: bucket,
        })
      return xmlAnswer(xmlDocument('LifecycleConfiguration', childrenOf(lifecycle, 'Rule').map(renderElement)))
    },
    putLifecycle: async ({ bucket, readText }: S3Call) => {
      buckets.get(bucket)
      buckets.configure(bucket, 'lifecycle', parseLifecycle(parseXml(await readText(), 'LifecycleConfiguration')))
      return { status: 200 }
    },
    deleteLifecycle: ({ bucket }: S3Call) => {
      buckets.get(bucket)
      buckets.configure(bucket, 'lifecycle', undefined)
      return { status: 204 }
    },
  }) satisfies BucketCalls

const checkLocation = (body: string, region: string): void => {
  const wanted =
    body.trim() === '' ? undefined : textOf(parseXml(body, 'CreateBucketConfiguration'), 'LocationConstraint')
  if ((wanted ?? 'us-east-1') !== region)
    throw new AwsError(
      'IllegalLocationConstraintException',
      400,
      `The ${wanted ?? 'unspecified'} location constraint is incompatible for the region specific endpoint this request was sent to.`,
    )
}
