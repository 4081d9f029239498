import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { GetObjectCommand, S3Client, type S3ClientConfig } from '@aws-sdk/client-s3'
import { ReceiveMessageCommand, SQSClient, type SQSClientConfig } from '@aws-sdk/client-sqs'
import { z } from 'zod'

import { findBucketTarget, findQueueTarget } from '#shared/adapters/aws/target.ts'
import { encodePath } from '#shared/adapters/aws/uri.ts'
import { SetupError } from '#shared/ports/failures.ts'

const credentials = { accessKeyId: 'a/b', secretAccessKey: 'secret' }

const sentSchema = z.object({
  protocol: z.string(),
  hostname: z.string(),
  port: z.number().optional(),
  path: z.string(),
  headers: z.object({ host: z.string(), authorization: z.string() }),
})

/** What an SDK's client would send, by the word of its own handler. */
const watcher = () => {
  const sent: z.infer<typeof sentSchema>[] = []
  const handle = (request: unknown) => {
    sent.push(sentSchema.parse(request))
    return Promise.reject(new Error('nothing is sent'))
  }
  return {
    sent,
    requestHandler: { handle, metadata: {}, destroy: () => undefined } as S3ClientConfig['requestHandler'],
  } // no more is called
}

const addressOf = ({ protocol, hostname, port, path, headers }: z.infer<typeof sentSchema>) => ({
  origin: new URL(`${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`).origin,
  host: headers.host,
  path,
  scope: /Credential=a\/b\/\d{8}\/([^,]+)\/aws4_request/.exec(headers.authorization)?.[1],
})

const buckets: Record<string, { bucket?: string; config: S3ClientConfig }> = {
  'the bucket of a region': { config: { region: 'eu-central-1' } },
  'a bucket in China': { config: { region: 'cn-north-1' } },
  'a bucket in us-east-1': { config: { region: 'us-east-1' } },
  'a bucket with dots': { bucket: 'my.images.example', config: { region: 'eu-central-1' } },
  'dual stack': { config: { region: 'eu-central-1', useDualstackEndpoint: true } },
  FIPS: { config: { region: 'us-east-2', useFipsEndpoint: true } },
  'path style on AWS': { config: { region: 'eu-central-1', forcePathStyle: true } },
  'transfer acceleration': { config: { region: 'eu-central-1', useAccelerateEndpoint: true } },
  'an access point': {
    bucket: 'arn:aws:s3:eu-west-1:123456789012:accesspoint/images',
    config: { region: 'eu-central-1', useArnRegion: true },
  },
  'a store of its own, path style': {
    config: { region: 'r', endpoint: 'http://127.0.0.1:4566', forcePathStyle: true },
  },
  'a store of its own, virtual host': { config: { region: 'r', endpoint: 'https://store.example.com:9000' } },
  'a store of its own, dots in the bucket': {
    bucket: 'my.images',
    config: { region: 'r', endpoint: 'https://store.example.com' },
  },
  'a store of its own, by IPv4 without path style': { config: { region: 'r', endpoint: 'http://127.0.0.1:4566' } },
  'a store of its own, by IPv6': { config: { region: 'r', endpoint: 'http://[::1]:4566', forcePathStyle: true } },
  'a store behind a path': {
    config: { region: 'r', endpoint: 'https://example.com/stores/a b/', forcePathStyle: true },
  },
  'a port that is the default': {
    config: { region: 'r', endpoint: 'https://example.com:443', forcePathStyle: true },
  },
}

suite('where calls on a bucket go', () => {
  for (const [what, { bucket = 'images', config }] of Object.entries(buckets)) {
    test(`${what}: where the SDK's go`, async () => {
      const { sent, requestHandler } = watcher()
      const client = new S3Client({ credentials, maxAttempts: 1, ...config, requestHandler: requestHandler ?? {} })
      const key = "scans/20250101/u_40/ü +'..//x"
      const target = await findBucketTarget(client, bucket)
      assert.equal(sent.length, 0)
      await assert.rejects(client.send(new GetObjectCommand({ Bucket: bucket, Key: key })), /nothing is sent/)
      const [request] = sent
      assert.ok(request)
      assert.deepEqual(
        {
          origin: target.origin,
          host: target.host,
          path: target.path + encodePath(key),
          scope: `${target.region}/${target.service}`,
        },
        addressOf(request),
      )
      assert.equal(target.canonicalPath, target.path)
    })
  }

  test('is a fault of the set-up where another kind of signature is wanted', async () => {
    for (const authorization of [
      'AWS4-ECDSA-P256-SHA256 Credential=a/20250101/s3/aws4_request, SignedHeaders=host, Signature=0',
      'AWS4-HMAC-SHA256 Credential=a/20250101/r/s3express/aws4_request, SignedHeaders=host, Signature=0',
    ]) {
      const sign = (request: { headers: object }) =>
        Promise.resolve({ ...request, headers: { ...request.headers, authorization } })
      const signer = { sign } as unknown as NonNullable<S3ClientConfig['signer']> // what the SDK calls of it
      const client = new S3Client({ credentials, region: 'us-east-1', signer })
      await assert.rejects(findBucketTarget(client, 'images'), SetupError)
    }
  })

  test('is asked for in vain while there are no credentials', async () => {
    const missing = () => Promise.reject(new Error('no credentials'))
    const client = new S3Client({ region: 'r', credentials: missing })
    await assert.rejects(findBucketTarget(client, 'images'), /no credentials/)
  })
})

const ignore = () => undefined
const silent = { trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore }

const queueUrl = 'https://sqs.eu-central-1.amazonaws.com/123456789012/uploads'
const queues: Record<string, SQSClientConfig> = {
  'the queue of a region': { region: 'eu-central-1' },
  'a queue in China': { region: 'cn-north-1', useQueueUrlAsEndpoint: false },
  'dual stack': { region: 'eu-central-1', useDualstackEndpoint: true, useQueueUrlAsEndpoint: false },
  'a service of its own': { region: 'r', endpoint: 'http://127.0.0.1:4566' },
  'a service behind a path': { region: 'r', endpoint: 'https://example.com/a%20b//c' },
  "a queue's own address": { region: 'eu-west-1', logger: silent },
}

suite('where calls on a queue go', () => {
  for (const [what, config] of Object.entries(queues)) {
    test(`${what}: where the SDK's go`, async () => {
      const { sent, requestHandler } = watcher()
      const client = new SQSClient({ credentials, maxAttempts: 1, ...config, requestHandler: requestHandler ?? {} })
      const target = await findQueueTarget(client, queueUrl)
      await assert.rejects(client.send(new ReceiveMessageCommand({ QueueUrl: queueUrl })), /nothing is sent/)
      const [request] = sent
      assert.ok(request)
      const { origin, host, path, region, service } = target
      assert.deepEqual({ origin, host, path, scope: `${region}/${service}` }, addressOf(request))
    })
  }

  test('a path is signed as SQS signs it: once more encoded, without empty segments', async () => {
    const client = new SQSClient({ credentials, region: 'r', endpoint: 'https://example.com/a%20b//c' })
    assert.equal((await findQueueTarget(client, queueUrl)).canonicalPath, '/a%2520b/c/')
  })
})
