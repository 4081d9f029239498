import assert from 'node:assert/strict'
import { once } from 'node:events'
import { get } from 'node:http'
import type { Readable } from 'node:stream'
import { test, type TestContext } from 'node:test'

import { CreateBucketCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'

import { listenOnLoopback } from '../../../local/aws/server.ts'
import { cdn } from '../../../local/cdn/cdn.ts'
import { eventually } from '../../support/eventually.ts'
import { openTestAws, testS3Client } from './support.ts'

const Bucket = 'images'

/** The streams of files that were opened since; they are seen where they are made. */
const openedFiles = async (context: TestContext) => {
  const { open } = await import('node:fs/promises')
  const file = await open(import.meta.filename)
  // A FileHandle's class has no other way to it.
  const prototype = Object.getPrototypeOf(file) as { createReadStream: (...all: unknown[]) => Readable }
  await file.close()
  const streams: Readable[] = []
  const original = prototype.createReadStream
  context.mock.method(prototype, 'createReadStream', function (this: unknown, ...all: unknown[]) {
    const stream = original.apply(this, all)
    streams.push(stream)
    return stream
  })
  return streams
}

test('a reader who has gone before his answer leaves no file open, at S3 and at the CDN', async (context) => {
  const { aws, s3 } = await openTestAws(context)
  await s3.send(new CreateBucketCommand({ Bucket }))
  await s3.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'bytes', ContentType: 'image/png' }))
  const cdnHandle = cdn({ mount: '/_cdn/', prefixes: [''], readObject: (key) => aws.readObject(Bucket, key) })
  const server = await listenOnLoopback((request, response) => {
    response.destroy()
    if (request.url?.startsWith('/_cdn/')) cdnHandle(request, response)
    else aws.handle(request, response)
  }, 0)
  context.after(server.close)
  const client = testS3Client(server.url)
  const streams = await openedFiles(context)
  for (const url of [await getSignedUrl(client, new GetObjectCommand({ Bucket, Key: 'a' })), `${server.url}/_cdn/a`]) {
    const before = streams.length
    await once(get(url), 'error')
    await eventually(() => streams[before]?.closed, 'the file to be closed')
  }
  client.destroy()
  assert.equal(streams.length, 2)
})
