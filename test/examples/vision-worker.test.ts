import assert from 'node:assert/strict'
import { suite, test, type TestContext } from 'node:test'

import { DeleteObjectCommand, HeadObjectCommand, PutBucketVersioningCommand } from '@aws-sdk/client-s3'

import type { ScanAnalyzed } from '#shared/domain/events.ts'
import { followingEventId } from '#shared/domain/ids.ts'
import type { VisionJob } from '#shared/domain/jobs.ts'

import { visionJob } from '../contract/job-queue.ts'
import { eventually } from '../support/eventually.ts'
import { startProcess, temporaryDirectory } from '../support/local-system.ts'
import { receiveAll } from '../support/queues.ts'
import { openWorkerWorld, type WorkerWorld } from '../support/worker-world.ts'

const patienceMs = 30_000
const readsImage = /^GET \/alone-images\/scans\//

const open = async (context: TestContext) => {
  const directory = temporaryDirectory()
  const world = await openWorkerWorld(directory.path)
  context.after(async () => {
    await world.close()
    directory.remove()
  })
  return world
}

/** A job whose image is stored as it is pinned. */
const planJob = async ({ s3, system, putImage }: WorkerWorld, name: string, changes: Partial<VisionJob> = {}) => {
  const id = visionJob(name).job_id
  const user_id = `user-${name}`
  const key = `scans/20250101/${user_id}/${id}`
  const job = visionJob(name, { bucket: system.bucket, key, user_id, ...changes })
  const version_id = await putImage(job)
  const { ETag = '' } = await s3.send(new HeadObjectCommand({ Bucket: system.bucket, Key: key }))
  return { ...job, etag: ETag.replaceAll('"', ''), ...(version_id !== undefined && { version_id }) }
}
const isDone = ({ published }: WorkerWorld, times: number) =>
  eventually(() => published.length >= times, `${times} results`, patienceMs)

/** As another worker told it. */
const resultOf = ({ job_id, key, user_id, event_id }: VisionJob): ScanAnalyzed => ({
  specversion: '1.0',
  id: followingEventId('scan.analyzed', job_id),
  source: 'urn:another-worker',
  type: 'scan.analyzed',
  subject: key,
  time: '2025-01-01T12:00:00.000Z',
  datacontenttype: 'application/json',
  data: { job_id, key, user_id, event_id, model: 'another', result: { n: 1 } },
})

/** Time that a message is hidden for after its worker's last sign of life. */
const visibilitySeconds = 30

suite('a worker', () => {
  test('that finds no local system says so in one sentence', async () => {
    const { ended, output } = startProcess('examples/vision-worker.ts', [], { DATA_DIR: '/nowhere' })
    assert.equal(await ended, 1)
    assert.match(output(), /^No local system runs here .*npm start.*\n$/)
  })

  test('that is killed in the middle of its call leaves the job to the next, under the same claim', async (context) => {
    const world = await open(context)
    const job = await planJob(world, 'a')
    const release = world.hold(readsImage)
    await world.send(job)
    const first = world.start()
    await world.asked(readsImage)
    first.child.kill('SIGKILL')
    await first.ended
    release()
    const claim = await world.readFact(job, 'claimed')
    world.pass(visibilitySeconds + 1)
    const second = world.start()
    await isDone(world, 1)
    assert.equal(await world.readFact(job, 'claimed'), claim)
    assert.equal(world.published[0]?.data.job_id, job.job_id)
    second.child.kill('SIGTERM')
    assert.equal(await second.ended, 0)
    world.pass(visibilitySeconds + 1)
    assert.deepEqual(await receiveAll(world.jobs), [])
  })

  test('that is killed before it has told the result has it told by the next, and not paid for again', async (context) => {
    const world = await open(context)
    const job = await planJob(world, 'a')
    const release = world.hold(/_events/)
    await world.send(job)
    const first = world.start()
    await world.asked(/_events/)
    first.child.kill('SIGKILL')
    await first.ended
    world.pass(visibilitySeconds + 1)
    const asked = world.count(/_events/)
    world.start()
    await world.asked(/_events/, asked + 1)
    release()
    await isDone(world, 1)
    assert.equal(world.count(readsImage), 1)
    assert.deepEqual(world.published.at(-1), JSON.parse((await world.readFact(job, 'result')) ?? ''))
  })

  test('that is not alone pays for each job once, though the queue has each twice', async (context) => {
    const world = await open(context)
    const jobs = await Promise.all(Array.from({ length: 12 }, (_, index) => planJob(world, `${index}`)))
    for (const job of [...jobs, ...jobs]) await world.send(job)
    const workers = [world.start(), world.start()]
    const ends = () => workers.flatMap(({ output }) => output().match(/^[0-9a-f]{32} /gm) ?? [])
    await eventually(() => ends().length === 2 * jobs.length, 'all messages to have their end', patienceMs)
    assert.equal(world.count(readsImage), jobs.length)
    const ids = world.published.map(({ data }) => data.job_id).sort()
    assert.deepEqual(ids, jobs.map(({ job_id }) => job_id).sort())
    for (const { child } of workers) child.kill('SIGTERM')
    assert.deepEqual(await Promise.all(workers.map(({ ended }) => ended)), [0, 0])
    assert.deepEqual(await receiveAll(world.jobs), [])
  })

  test('keeps the message hidden while it works', async (context) => {
    const world = await open(context)
    const release = world.hold(readsImage)
    await world.send(await planJob(world, 'a'))
    world.start()
    await world.asked(readsImage)
    await world.answered(/ChangeMessageVisibility/)
    world.pass(visibilitySeconds - 5)
    assert.deepEqual(await receiveAll(world.jobs), [], 'longer than since it was received')
    release()
    await isDone(world, 1)
  })

  test('that was overtaken tells the result that was stored before its own', async (context) => {
    const world = await open(context)
    const job = await planJob(world, 'a')
    const release = world.hold(readsImage)
    await world.send(job)
    world.start()
    await world.asked(readsImage)
    const earlier = resultOf(job)
    await world.putFact(job, 'result', JSON.stringify(earlier))
    release()
    await isDone(world, 1)
    assert.deepEqual(world.published, [earlier])
  })

  test('that finds S3 away takes nothing more until it is back, and takes nothing for gone', async (context) => {
    const world = await open(context)
    const jobs = await Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map((name) => planJob(world, name)))
    for (const job of jobs) await world.send(job)
    world.beAway(true)
    const worker = world.start()
    await world.asked(/^HEAD \/alone-images-state/, 12)
    assert.equal(world.count(/ReceiveMessage/), 4, 'of four hands, each has taken one job')
    assert.equal(world.count(/DeleteMessage/), 0)
    world.beAway(false)
    world.pass(visibilitySeconds + 1)
    await isDone(world, jobs.length)
    assert.doesNotMatch(worker.output(), /gone/)
  })

  test('does not run what was cancelled after it was sent again, claimed or analyzed', async (context) => {
    const world = await open(context)
    const job = await planJob(world, 'a')
    await world.putFact(job, 'claimed', 'a message that was given up')
    await world.putFact(job, 'result', '{}')
    await world.putFact(job, 'cancelled', '{}')
    await world.send(job, { 'redrive-count': '1' })
    const worker = world.start()
    await eventually(() => worker.output().includes(`${job.job_id} cancelled\n`), 'the end of the job', patienceMs)
    await world.asked(/DeleteMessage/)
    assert.deepEqual([world.published, world.count(readsImage)], [[], 0])
  })

  test("reads the version that its job names, whatever came after, until that version's end", async (context) => {
    const world = await open(context)
    const { s3, system } = world
    const versioning = { Bucket: system.bucket, VersioningConfiguration: { Status: 'Enabled' } as const }
    await s3.send(new PutBucketVersioningCommand(versioning))
    const job = await planJob(world, 'a')
    assert.ok(job.version_id)
    await world.putImage(job, 'another image of another length')
    await s3.send(new DeleteObjectCommand({ Bucket: system.bucket, Key: job.key }))
    await world.send(job)
    const worker = world.start()
    await isDone(world, 1)
    assert.equal(world.published[0]?.data.result['bytes_received'], 'an image'.length)

    const other = await planJob(world, 'b')
    await s3.send(new DeleteObjectCommand({ Bucket: system.bucket, Key: other.key, VersionId: other.version_id }))
    await world.send(other)
    await eventually(() => worker.output().includes(`${other.job_id} gone`), 'the end of the other job', patienceMs)
    assert.equal(world.published.length, 1)
  })
})
