import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'

import {
  CreateBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  type Event,
  GetBucketNotificationConfigurationCommand,
  PutBucketNotificationConfigurationCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { CreateQueueCommand } from '@aws-sdk/client-sqs'

import { openTestAws } from './support.ts'
import { Bucket, drain } from './told.ts'

const arn = (queue: string) => `arn:aws:sqs:us-east-1:000000000000:${queue}`
const created: Event = 's3:ObjectCreated:*'
const removed: Event = 's3:ObjectRemoved:*'

const rule = (Id: string, prefix: string, Events: Event[], queue = 'uploads') => ({
  Id,
  QueueArn: arn(queue),
  Events,
  Filter: { Key: { FilterRules: [{ Name: 'prefix' as const, Value: prefix }] } },
})
const configure = (s3: S3Client, QueueConfigurations: ReturnType<typeof rule>[]) =>
  s3.send(new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration: { QueueConfigurations } }))

const openWithQueue = async (context: TestContext) => {
  const aws = await openTestAws(context)
  await aws.s3.send(new CreateBucketCommand({ Bucket }))
  const { QueueUrl } = await aws.sqs.send(new CreateQueueCommand({ QueueName: 'uploads' }))
  await aws.sqs.send(new CreateQueueCommand({ QueueName: 'fifo.fifo', Attributes: { FifoQueue: 'true' } }))
  return Object.assign(aws, { QueueUrl })
}

test('a configuration is kept, and its queue is told with a test event', async (context) => {
  const aws = await openWithQueue(context)
  const rules = [rule('scans', 'scans/', [created, removed]), rule('chat', 'chat/', [created])]
  await configure(aws.s3, rules)
  const { QueueConfigurations } = await aws.s3.send(new GetBucketNotificationConfigurationCommand({ Bucket }))
  assert.deepEqual(
    QueueConfigurations?.map(({ Id, QueueArn, Events }) => ({ Id, QueueArn, Events })),
    rules.map(({ Id, QueueArn, Events }) => ({ Id, QueueArn, Events })),
  )
  assert.partialDeepStrictEqual(await drain(aws), [{ Service: 'Amazon S3', Event: 's3:TestEvent', Bucket }])
})

test('a put and a delete under a prefix are told, each once, in rising order', async (context) => {
  const aws = await openWithQueue(context)
  await configure(aws.s3, [rule('scans', 'scans/', [created, removed])])
  await drain(aws)
  const Key = "scans/a b+c/ü(1)*~!'.png"
  const { ETag } = await aws.s3.send(new PutObjectCommand({ Bucket, Key, Body: 'hello' }))
  await aws.s3.send(new PutObjectCommand({ Bucket, Key: 'other/a', Body: 'hello' }))
  await aws.s3.send(new DeleteObjectCommand({ Bucket, Key }))
  await aws.s3.send(new DeleteObjectCommand({ Bucket, Key }))
  const encoded = 'scans/a+b%2Bc/%C3%BC%281%29*%7E%21%27.png'
  const common = { eventSource: 'aws:s3', awsRegion: 'us-east-1', eventVersion: '2.1' }
  const bucket = { name: Bucket, arn: `arn:aws:s3:::${Bucket}` }
  const told = await drain(aws)
  assert.equal(told.length, 2)
  assert.partialDeepStrictEqual(told, [
    {
      Records: [
        {
          ...common,
          eventName: 'ObjectCreated:Put',
          s3: { configurationId: 'scans', bucket, object: { key: encoded, size: 5, eTag: ETag?.replaceAll('"', '') } },
        },
      ],
    },
    {
      Records: [
        {
          ...common,
          eventName: 'ObjectRemoved:Delete',
          s3: { configurationId: 'scans', bucket, object: { key: encoded } },
        },
      ],
    },
  ])
  const sequencers = JSON.stringify(told).match(/(?<="sequencer":")[0-9A-F]+/g) ?? []
  assert.equal(sequencers.length, 2)
  assert.deepEqual(sequencers, [...sequencers].sort())
  assert.notEqual(sequencers[0], sequencers[1])
  assert.doesNotMatch(JSON.stringify(told), /versionId/)
})

test('a batch delete tells of each key that was there', async (context) => {
  const aws = await openWithQueue(context)
  for (const Key of ['scans/1', 'scans/2']) await aws.s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }))
  await configure(aws.s3, [rule('scans', 'scans/', [removed])])
  await drain(aws)
  const Objects = ['scans/1', 'scans/2', 'scans/3'].map((Key) => ({ Key }))
  await aws.s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }))
  assert.equal((await drain(aws)).length, 2)
})

test('a refused put tells nothing', async (context) => {
  const aws = await openWithQueue(context)
  await configure(aws.s3, [rule('scans', 'scans/', [created])])
  await aws.s3.send(new PutObjectCommand({ Bucket, Key: 'scans/a', Body: 'x' }))
  await drain(aws)
  const again = new PutObjectCommand({ Bucket, Key: 'scans/a', Body: 'x', IfNoneMatch: '*' })
  await assert.rejects(aws.s3.send(again), { name: 'PreconditionFailed' })
  assert.deepEqual(await drain(aws), [])
})

test('a configuration that S3 would not take is refused and changes nothing', async (context) => {
  const aws = await openWithQueue(context)
  await configure(aws.s3, [rule('kept', 'kept/', [created])])
  // An event of S3 that nothing here ever sends.
  const restored: Event = 's3:ObjectRestore:*'
  const refused: Record<string, ReturnType<typeof rule>[]> = {
    'an unknown queue': [rule('a', 'a/', [created], 'none')],
    'a FIFO queue': [rule('a', 'a/', [created], 'fifo.fifo')],
    'an unsupported event': [rule('a', 'a/', [restored])],
    'the same prefix twice': [rule('a', 'a/', [created]), rule('b', 'a/', [created])],
    'a prefix within a prefix': [rule('a', 'a/', [created]), rule('b', 'a/b/', ['s3:ObjectCreated:Put'])],
    'no prefix beside a prefix': [rule('a', '', [removed]), rule('b', 'b/', [removed])],
  }
  for (const [name, rules] of Object.entries(refused))
    await assert.rejects(configure(aws.s3, rules), { name: 'InvalidArgument' }, name)
  const { QueueConfigurations } = await aws.s3.send(new GetBucketNotificationConfigurationCommand({ Bucket }))
  assert.deepEqual(
    QueueConfigurations?.map(({ Id }) => Id),
    ['kept'],
  )
  await configure(aws.s3, [rule('a', 'a/', [created]), rule('b', 'a/', [removed]), rule('c', 'b/', [created])])
})
