import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'

import { followingEventId } from '#shared/domain/ids.ts'
import { jobKeys } from '#shared/domain/job-refs.ts'
import { visionJobSchema, type VisionJob } from '#shared/domain/jobs.ts'
import type { MessageQueue } from '#shared/ports/message-queue.ts'

import { visionJob } from '../contract/job-queue.ts'
import { openS3Of, tokenOf } from '../support/client.ts'
import { eventually } from '../support/eventually.ts'
import { goodPhoto } from '../support/images.ts'
import { startSystem, temporaryDirectory, type RunningSystem } from '../support/local-system.ts'
import { readEvents } from '../support/outside.ts'
import { openQueueOf, receiveAll, sendJob } from '../support/queues.ts'
import { runTool } from '../support/run-tool.ts'
import { startWorker } from '../support/worker.ts'

const directory = temporaryDirectory()
const dataPath = join(directory.path, 'data')
const photo = join(directory.path, 'photo.jpg')
const patienceMs = 30_000
let running: RunningSystem
let worker: ReturnType<typeof startWorker>
let jobs: MessageQueue

before(async () => {
  writeFileSync(photo, await goodPhoto('image/jpeg', { width: 64, height: 48 }))
  running = await startSystem(dataPath)
  jobs = openQueueOf(running.system, running.system.jobs_queue_url)
})
after(async () => {
  worker.child.kill('SIGKILL')
  await running.end('SIGTERM')
  directory.remove()
})

const beginWorker = () => {
  worker = startWorker(dataPath)
}
const upload = async () => {
  const { code, output, lines } = await runTool('upload', [photo], { DATA_DIR: dataPath })
  assert.equal(code, 0, output)
  return { key: lines[0]?.split(/ +/).at(-1) ?? '', output }
}
const states = () => ({ s3: openS3Of(running.system), Bucket: running.system.state_bucket })
const keysOf = ({ key, job_id }: VisionJob) => jobKeys({ jobId: job_id, date: key.split('/')[1] ?? '' })
const putState = async (Key: string, Body: string) => {
  const { s3, Bucket } = states()
  await s3.send(new PutObjectCommand({ Bucket, Key, Body }))
}
const readState = async (Key: string) => {
  const { s3, Bucket } = states()
  return (await s3.send(new GetObjectCommand({ Bucket, Key }))).Body?.transformToString()
}
/** As when the queue has a job once more than it should. */
const sendAgain = (job: VisionJob, attributes: Record<string, string> = {}) => {
  return sendJob(jobs, job, { note: 'of a test', ...attributes })
}
const analyzedOf = async (jobId: string) =>
  (await readEvents(running.system)).flatMap((event) =>
    event.type === 'scan.analyzed' && event.data.job_id === jobId ? [event] : [],
  )
const says = (jobId: string, end: RegExp) =>
  eventually(
    () =>
      worker
        .output()
        .split('\n')
        .find((line) => line.startsWith(jobId) && end.test(line)),
    `${String(end)} of ${jobId}: ${worker.output()}`,
    patienceMs,
  )

test('a scan that was deleted before a worker began is not analyzed', async () => {
  const { key } = await upload()
  const [message] = await receiveAll(jobs)
  assert.ok(message)
  await jobs.extend(message, 0)
  const job = visionJobSchema.parse(JSON.parse(message.body))
  const headers = { Authorization: `Bearer ${await tokenOf('user-1')}` }
  const answer = await fetch(`${running.system.api_url}/images/${key}`, { method: 'DELETE', headers })
  assert.equal(answer.status, 204)
  await eventually(() => readState(keysOf(job).cancelled).catch(() => undefined), 'the job to be cancelled', patienceMs)
  beginWorker()
  await says(job.job_id, /cancelled$/)
  assert.deepEqual(await analyzedOf(job.job_id), [])
})

test('the result of a scan is shown by the upload, and published under an id of its own', async () => {
  const { key, output } = await upload()
  assert.match(output, /photo\.jpg +\d+ ms {2}analyzed +fake-vision-model says \{"answer":/)
  const dispatched = (await readEvents(running.system)).find(
    ({ type, subject }) => type === 'scan.dispatched' && subject === key,
  )
  assert.ok(dispatched?.type === 'scan.dispatched')
  const [event, ...others] = await analyzedOf(dispatched.data.job_id)
  assert.deepEqual(others, [])
  assert.equal(event?.id, followingEventId('scan.analyzed', dispatched.data.job_id))
  assert.equal(event.data.event_id, dispatched.data.event_id)
})

test('a job that comes again in another message is left to the one that claimed it', async () => {
  const job = visionJob('claimed', { bucket: running.system.bucket })
  await putState(keysOf(job).claimed, 'another message')
  await sendAgain(job)
  await says(job.job_id, /claimed by another message$/)
  assert.equal(await readState(keysOf(job).claimed), 'another message')
})

test('a redriven job whose result is known is told again, and not paid for again', async () => {
  const job = visionJob('redriven', { bucket: running.system.bucket })
  const data = {
    job_id: job.job_id,
    key: job.key,
    user_id: 'u',
    event_id: job.event_id,
    model: 'paid',
    result: { n: 1 },
  }
  const about = { specversion: '1.0', id: followingEventId('scan.analyzed', job.job_id), source: 'x', subject: job.key }
  const times = { time: new Date().toISOString(), datacontenttype: 'application/json' }
  await putState(keysOf(job).claimed, 'a message that was given up')
  await putState(keysOf(job).result, JSON.stringify({ ...about, type: 'scan.analyzed', ...times, data }))
  await sendAgain(job, { 'redrive-count': '1' })
  await says(job.job_id, /analyzed .*"model":"paid"/)
  assert.deepEqual(
    (await analyzedOf(job.job_id)).map(({ data: { model } }) => model),
    ['paid'],
  )
})

test('a job whose image is gone, or another, has its end', async () => {
  const { key } = await upload()
  for (const job of [
    visionJob('gone', { bucket: running.system.bucket }),
    visionJob('another', { bucket: running.system.bucket, key, etag: '0'.repeat(32) }),
  ]) {
    await sendAgain(job)
    await says(job.job_id, /gone: the image was deleted, or another is in its place$/)
    assert.deepEqual(await analyzedOf(job.job_id), [])
  }
})

test('a worker that is told to stop ends, and the queue is empty', async () => {
  worker.child.kill('SIGTERM')
  assert.equal(await worker.ended, 0, worker.output())
  assert.deepEqual(await receiveAll(jobs), [])
})

test('the worker has less than a hundred lines', async () => {
  const { readFileSync } = await import('node:fs')
  assert.ok(readFileSync('examples/vision-worker.ts', 'utf8').trimEnd().split('\n').length < 100)
})
