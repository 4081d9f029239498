import assert from 'node:assert/strict'
import { buffer } from 'node:stream/consumers'
import { test, type TestContext } from 'node:test'

import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3'

import { openObjects } from '#shared/adapters/s3/open-object.ts'
import { OutageError } from '#shared/ports/failures.ts'

import { openLocal, region } from '../aws/local.ts'

const bytes = Buffer.alloc(300_000, 'abcdefg')
const key = 'scans/a b+ü'

const open = async (context: TestContext) => {
  const { s3, away, dispose } = await openLocal()
  context.after(dispose)
  const bucket = 'images'
  await s3.send(new CreateBucketCommand({ Bucket: bucket, CreateBucketConfiguration: { LocationConstraint: region } }))
  const put = (Body: Buffer) =>
    s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body, ContentType: 'image/png' }))
  await put(bytes)
  return { away, put, openObject: openObjects({ client: s3, bucket }) }
}

test('an object is opened with what is known of it, and read whole or in part', async (context) => {
  const { openObject } = await open(context)
  const object = await openObject(key)
  assert.ok(object)
  assert.deepEqual([object.size, object.headers], [bytes.length, { 'content-type': 'image/png' }])
  assert.match(object.etag, /^"[0-9a-f]{32}"$/)
  assert.ok(Math.abs(object.modifiedMs - Date.now()) < 60_000)
  assert.ok((await buffer(object.read())).equals(bytes))
  assert.ok((await buffer(object.read({ start: 7, end: 200_000 }))).equals(bytes.subarray(7, 200_001)))
})

test('what is not there is undefined, and a store that is not there is an outage', async (context) => {
  const { openObject, away } = await open(context)
  assert.equal(await openObject('scans/missing'), undefined)
  await assert.rejects(openObjects({ client: away.s3, bucket: 'images' })(key), OutageError)
})

test('an object that is replaced after it was opened is not read as if it were the first', async (context) => {
  const { openObject, put } = await open(context)
  const object = await openObject(key)
  await put(Buffer.from('another'))
  assert.ok(object)
  await assert.rejects(buffer(object.read()))
})
