import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { test, type TestContext } from 'node:test'

import { CreateBucketCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'

import { type Blobs, openBlobs } from '../../../local/aws/blobs.ts'
import { openDatabase } from '../../../local/aws/database.ts'
import { openBuckets } from '../../../local/aws/s3/buckets.ts'
import { openFaults, parseFaults } from '../../../local/aws/s3/notification-faults.ts'
import { openObjects } from '../../../local/aws/s3/objects.ts'
import { openSqs, type Sqs } from '../../../local/aws/sqs/service.ts'
import { openTestAws } from './support.ts'

const openStores = async (context: TestContext) => {
  const directory = await mkdtemp(join(tmpdir(), 'local-aws-'))
  const blobs = openBlobs(join(directory, 'blobs'))
  const database = openDatabase(join(directory, 'aws.sqlite'))
  context.after(async () => {
    database.close()
    blobs.close()
    await rm(directory, { recursive: true })
  })
  const buckets = openBuckets(database, Date.now)
  buckets.create('images')
  const realSqs = openSqs(database, 'us-east-1', Date.now)
  const faults = openFaults(parseFaults({}))
  const objectsOver = (over: Blobs, sqs: Sqs = realSqs) =>
    openObjects({ database, blobs: over, buckets, sqs, faults }, 'us-east-1', Date.now)
  return { blobs, objectsOver, buckets, realSqs }
}
/** A queue that takes nothing any more. */
const brokenTarget = {
  isFifo: false,
  enqueue: () => {
    throw new Error('no message fits')
  },
  wake: () => undefined,
}
const everything = {
  id: 'all',
  queueArn: 'q',
  events: ['s3:ObjectCreated:*', 's3:ObjectRemoved:*'],
  prefix: '',
  suffix: '',
}
const object = { bucket: 'images', key: 'a', etag: '"0"', headers: {}, checksums: {}, createOnly: false }
const cause = { sourceIp: '127.0.0.1', requestId: '0' }

test('an object is there only once its bytes are in place', async (context) => {
  const { blobs, objectsOver } = await openStores(context)
  let publishing: () => boolean = () => false
  const objects = objectsOver({
    ...blobs,
    publish: async (name) => {
      assert.equal(publishing(), false, 'no row is committed before the rename')
      await blobs.publish(name)
    },
  })
  publishing = () => objects.find('images', 'a') !== undefined
  await objects.put(object, await blobs.stage(Readable.from([Buffer.from('x')]), () => undefined), cause)
  assert.equal(publishing(), true)
})

test('a disk that refuses the bytes leaves no object', async (context) => {
  const { blobs, objectsOver } = await openStores(context)
  const objects = objectsOver({ ...blobs, publish: () => Promise.reject(new Error('disk full')) })
  const staged = await blobs.stage(Readable.from([Buffer.from('x')]), () => undefined)
  await assert.rejects(objects.put(object, staged, cause), /disk full/)
  assert.equal(objects.find('images', 'a'), undefined)
})

test('a notification that can’t be stored takes its object back', async (context) => {
  const { blobs, objectsOver, buckets, realSqs } = await openStores(context)
  buckets.configure('images', 'notifications', [everything])
  const objects = objectsOver(blobs, { ...realSqs, target: () => brokenTarget })
  const staged = await blobs.stage(Readable.from([Buffer.from('x')]), () => undefined)
  await assert.rejects(objects.put(object, staged, cause), /no message fits/)
  assert.equal(objects.find('images', 'a'), undefined)
  assert.equal(await blobs.open(staged.name), undefined)
})

for (const versioning of [undefined, 'Enabled', 'Suspended'] as const)
  test(`a notification that can’t be stored takes its removal back, versioning ${versioning ?? 'off'}`, async (context) => {
    const { blobs, objectsOver, buckets, realSqs } = await openStores(context)
    const working = objectsOver(blobs)
    const staged = await blobs.stage(Readable.from([Buffer.from('x')]), () => undefined)
    await working.put(object, staged, cause)
    buckets.configure('images', 'versioning', versioning)
    buckets.configure('images', 'notifications', [everything])
    const objects = objectsOver(blobs, { ...realSqs, target: () => brokenTarget })
    await assert.rejects(objects.remove('images', [{ key: 'a' }], cause), /no message fits/)
    const found = objects.find('images', 'a')
    assert.equal(found?.kind, 'object')
    const file = await objects.open('images', found)
    assert.ok(file)
    await file.close()
  })

test('what a killed process left is swept at the next start, and nothing else', async (context) => {
  const { s3, directory, restart } = await openTestAws(context)
  await s3.send(new CreateBucketCommand({ Bucket: 'images' }))
  await s3.send(new PutObjectCommand({ Bucket: 'images', Key: 'a', Body: 'kept' }))
  const blobs = join(directory, 'blobs')
  await writeFile(join(blobs, 'orphan'), 'x')
  await writeFile(join(blobs, 'tmp', 'staged'), 'x')
  await restart()
  assert.deepEqual([(await readdir(blobs)).length, await readdir(join(blobs, 'tmp'))], [2, []])
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'images', Key: 'a' }))
  assert.equal(await Body?.transformToString(), 'kept')
})
