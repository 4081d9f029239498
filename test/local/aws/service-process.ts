import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'

import {
  CreateBucketCommand,
  type Event,
  PutBucketNotificationConfigurationCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { CreateQueueCommand, SQSClient } from '@aws-sdk/client-sqs'

import type { LocalAwsOptions } from '../../../local/aws/server.ts'
import { credentials, region, testS3Client } from './support.ts'
import { Bucket } from './told.ts'

export const QueueUrl = 'http://127.0.0.1/000000000000/uploads'

export type Service = { kill: () => Promise<void>; s3: S3Client; sqs: SQSClient; url: string }

/** Begins a service in a process of its own, on a free port. */
export const startService = async (
  context: TestContext,
  directory: string,
  options: Partial<LocalAwsOptions> = {},
): Promise<Service> => {
  const given = JSON.stringify({ directory, region, credentials, ...options })
  const child = spawn(process.execPath, [join(import.meta.dirname, 'killed-service.ts'), given], {
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
  return {
    kill,
    url,
    s3: testS3Client(url),
    sqs: new SQSClient({ endpoint: url, region, credentials, maxAttempts: 1 }),
  }
}

/** A directory with a bucket that tells a queue of `Events`, left behind by a killed service. */
export const prepareDirectory = async (context: TestContext, Events: Event[]): Promise<string> => {
  const directory = await mkdtemp(join(tmpdir(), 'local-aws-'))
  context.after(() => rm(directory, { recursive: true, force: true }))
  const { s3, sqs, kill } = await startService(context, directory)
  await s3.send(new CreateBucketCommand({ Bucket }))
  await sqs.send(new CreateQueueCommand({ QueueName: 'uploads' }))
  const QueueConfigurations = [{ QueueArn: `arn:aws:sqs:${region}:000000000000:uploads`, Events }]
  await s3.send(
    new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration: { QueueConfigurations } }),
  )
  await kill()
  return directory
}
