import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash, randomBytes, randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'

import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutBucketNotificationConfigurationCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import { CreateQueueCommand, DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs'

import { eventually } from '../../support/eventually.ts'
import { credentials, region, testS3Client } from './support.ts'

const Bucket = 'images'
const rounds = 3
const writers = 8

const startService = async (context: TestContext, directory: string) => {
  const given = [directory, region, credentials.accessKeyId, credentials.secretAccessKey]
  const child = spawn(process.execPath, [join(import.meta.dirname, 'killed-service.ts'), ...given], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  context.after(kill)
  // The first line is the URL; a service that dies before it ends the stream without one.
  const [line] = (await Promise.race([once(createInterface(child.stdout), 'line'), once(child, 'exit')])) as unknown[]
  assert.equal(typeof line, 'string', 'the service starts')
  const url = String(line)
  return { kill, s3: testS3Client(url), sqs: new SQSClient({ endpoint: url, region, credentials, maxAttempts: 1 }) }
}
type Service = Awaited<ReturnType<typeof startService>>

const provision = async ({ s3, sqs }: Service) => {
  await s3.send(new CreateBucketCommand({ Bucket }))
  await sqs.send(new CreateQueueCommand({ QueueName: 'uploads' }))
  const QueueConfigurations = [
    { QueueArn: `arn:aws:sqs:${region}:000000000000:uploads`, Events: ['s3:ObjectCreated:*' as const] },
  ]
  await s3.send(
    new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration: { QueueConfigurations } }),
  )
}

/** Puts objects from several writers until the service dies; gives the MD5 of each that was acknowledged. */
const putUntilKilled = async (
  { s3, kill }: Service,
  round: number,
  killAfter: number,
): Promise<Map<string, string>> => {
  const acknowledged = new Map<string, string>()
  const write = async (writer: number) => {
    for (let count = 0; ; count += 1) {
      const [Key, Body] = [`scans/${round}/${writer}/${count}`, randomBytes(randomInt(1, 200_000))]
      try {
        await s3.send(new PutObjectCommand({ Bucket, Key, Body, IfNoneMatch: '*' }))
      } catch {
        return
      }
      acknowledged.set(Key, createHash('md5').update(Body).digest('hex'))
    }
  }
  const all = Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)))
  await eventually(() => acknowledged.size >= killAfter, `${killAfter} acknowledged puts`, 60_000)
  await kill()
  await all
  return acknowledged
}

const listStored = async ({ s3 }: Service): Promise<Map<string, string>> => {
  const stored = new Map<string, string>()
  let ContinuationToken: string | undefined
  do {
    const page = await s3.send(new ListObjectsV2Command({ Bucket, ContinuationToken }))
    for (const { Key = '', ETag = '' } of page.Contents ?? []) stored.set(Key, ETag.replaceAll('"', ''))
    ContinuationToken = page.NextContinuationToken
  } while (ContinuationToken)
  return stored
}

const drainNotified = async ({ sqs }: Service): Promise<[string, string][]> => {
  const QueueUrl = 'http://127.0.0.1/000000000000/uploads'
  const notified: [string, string][] = []
  for (;;) {
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }))
    if (Messages.length === 0) return notified
    for (const { Body = '', ReceiptHandle } of Messages) {
      const [, key, etag] = /"key":"([^"]+)".*"eTag":"(\w+)"/.exec(Body) ?? []
      if (key && etag) notified.push([key, etag])
      await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }))
    }
  }
}

test(
  'a kill at any moment loses no acknowledged object, no notification, and leaves no orphan',
  { timeout: 180_000 },
  async (context) => {
    const directory = await mkdtemp(join(tmpdir(), 'local-aws-'))
    context.after(() => rm(directory, { recursive: true, force: true }))
    const acknowledged = new Map<string, string>()
    const first = await startService(context, directory)
    await provision(first)
    await first.kill()
    for (let round = 0; round < rounds; round += 1) {
      const killAfter = randomInt(20, 80)
      context.diagnostic(`round ${round}: killed after ${killAfter} puts`)
      const puts = await putUntilKilled(await startService(context, directory), round, killAfter)
      for (const [key, md5] of puts) acknowledged.set(key, md5)
    }
    const last = await startService(context, directory)
    const stored = await listStored(last)
    for (const [key, md5] of acknowledged) assert.equal(stored.get(key), md5, `${key} was acknowledged`)
    for (const [Key, md5] of stored) {
      const { Body } = await last.s3.send(new GetObjectCommand({ Bucket, Key }))
      assert.equal(
        createHash('md5')
          .update((await Body?.transformToByteArray()) ?? '')
          .digest('hex'),
        md5,
        `${Key} is whole`,
      )
    }
    const blobs = (await readdir(join(directory, 'blobs'))).filter((name) => name !== 'tmp')
    assert.deepEqual([blobs.length, await readdir(join(directory, 'blobs', 'tmp'))], [stored.size, []])
    assert.deepEqual((await drainNotified(last)).sort(), [...stored].sort())
    await last.kill()
  },
)
