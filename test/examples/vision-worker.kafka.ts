import assert from 'node:assert/strict'
import { test } from 'node:test'

import { PutObjectCommand } from '@aws-sdk/client-s3'

import { followingEventId } from '#shared/domain/ids.ts'

import { visionJob } from '../contract/job-queue.ts'
import { openS3Of } from '../support/client.ts'
import { eventually } from '../support/eventually.ts'
import { onKafka, openKafkaPlace } from '../support/kafka/place.ts'
import { startProcess } from '../support/local-system.ts'
import { readEvents } from '../support/outside.ts'
import { openQueueOf, receiveAll, sendJob } from '../support/queues.ts'
import { openSurroundings } from '../support/services.ts'

const { broker, directory } = await openKafkaPlace()

test(
  'a worker whose place the environment names tells Kafka its result',
  { skip: broker ? false : 'no broker' },
  async (context) => {
    const surroundings = await openSurroundings(directory.path, onKafka(broker))
    context.after(surroundings.close)
    const system = surroundings.describe('http://127.0.0.1:9')
    const s3 = openS3Of(system)
    const image = visionJob('a', { bucket: system.bucket })
    const { ETag = '' } = await s3.send(
      new PutObjectCommand({ Bucket: system.bucket, Key: image.key, Body: 'an image' }),
    )
    const job = { ...image, etag: ETag.replaceAll('"', '') }
    const jobs = openQueueOf(system, system.jobs_queue_url)
    await sendJob(jobs, job)

    const worker = startProcess('examples/vision-worker.ts', [], surroundings.environment)
    context.after(() => worker.child.kill('SIGKILL'))
    const isDone = () => worker.output().includes(`${job.job_id} analyzed`)
    await eventually(isDone, 'the job to be analyzed', 60_000).catch((error: unknown) => {
      throw new Error(worker.output(), { cause: error })
    })
    const [event, ...others] = await readEvents(system)
    assert.deepEqual(others, [])
    assert.deepEqual([event?.type, event?.subject], ['scan.analyzed', job.key])
    assert.equal(event?.id, followingEventId('scan.analyzed', job.job_id))
    worker.child.kill('SIGTERM')
    assert.equal(await worker.ended, 0, worker.output())
    assert.deepEqual(await receiveAll(jobs), [])
  },
)
