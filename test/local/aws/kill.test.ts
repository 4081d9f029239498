import assert from 'node:assert/strict'
import { createHash, randomBytes, randomInt } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'

import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3'
import { DeleteMessageCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs'

import { eventually } from '../../support/eventually.ts'
import { prepareDirectory, QueueUrl, type Service, startService } from './service-process.ts'
import { Bucket } from './told.ts'

const rounds = 3
const writers = 8

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
    const directory = await prepareDirectory(context, ['s3:ObjectCreated:*'])
    const acknowledged = new Map<string, string>()
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
