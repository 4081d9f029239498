import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { suite, test, type TestContext } from 'node:test'

import { jobGroup } from '#shared/domain/ids.ts'
import type { VisionJob } from '#shared/domain/jobs.ts'
import { OutageError, RefusalError, SetupError } from '#shared/ports/failures.ts'
import type { JobQueue } from '#shared/ports/job-queue.ts'

export type JobQueueUnderTest = {
  /** Empty. */
  queue: JobQueue
  /** Takes all jobs out of the queue, in the order in which a single worker gets them. */
  drain: () => Promise<VisionJob[]>
  /** Lets so much of the queue's time pass. */
  pass: (seconds: number) => void | Promise<void>
  /** The same adapter on a queue that does not exist. */
  misplaced: JobQueue
  /** The same adapter where nothing answers. */
  away: JobQueue
  dispose?: () => Promise<void>
}

export const visionJob = (name: string, changes: Partial<VisionJob> = {}): VisionJob => ({
  job_id: createHash('sha256').update(name).digest('hex').slice(0, 32),
  image_url: 'https://cdn.example.com/scans/20250101/user-1/0123456789abcdef0123456789abcdef',
  bucket: 'images',
  key: 'scans/20250101/user-1/0123456789abcdef0123456789abcdef',
  etag: 'etag',
  user_id: 'user-1',
  content_type: 'image/jpeg',
  size: 1000,
  width: 64,
  height: 48,
  requested_at: '2025-01-01T00:00:00.000Z',
  event_id: 'f'.repeat(32),
  ...changes,
})

const ids = (jobs: readonly VisionJob[]) => jobs.map(({ job_id }) => job_id)

/** What every job queue promises (shared/ports/job-queue.ts). */
export const jobQueueContract = (name: string, openQueue: () => Promise<JobQueueUnderTest>): void => {
  const open = async (context: TestContext) => {
    const opened = await openQueue()
    context.after(() => opened.dispose?.())
    return opened
  }

  suite(`${name} as a job queue`, () => {
    test('hands out a job as it was sent', async (context) => {
      const { queue, drain } = await open(context)
      const job = visionJob('a', { user_id: 'ü 日本 🙂 \uffff', orientation: 6, traceparent: '00-1', version_id: 'v1' })
      await queue.send(job)
      assert.deepEqual(await drain(), [job])
    })

    test('a job that it knows already adds nothing', async (context) => {
      const { queue, drain, pass } = await open(context)
      await queue.send(visionJob('a'))
      await queue.send(visionJob('a', { requested_at: '2025-01-01T00:01:00.000Z' }))
      await pass(120)
      await queue.send(visionJob('a'))
      assert.deepEqual(await drain(), [visionJob('a')])
      await queue.send(visionJob('a'))
      assert.deepEqual(await drain(), [])
    })

    test('a job that is sent twice at once is there once', async (context) => {
      const { queue, drain } = await open(context)
      const names = ['a', 'b', 'a', 'c', 'b', 'a']
      await Promise.all(names.map((name) => queue.send(visionJob(name))))
      assert.deepEqual(ids(await drain()).sort(), ids(['a', 'b', 'c'].map((name) => visionJob(name))).sort())
    })

    test('forgets a job after 5 minutes', async (context) => {
      const { queue, drain, pass } = await open(context)
      await queue.send(visionJob('a'))
      await pass(301)
      await queue.send(visionJob('a'))
      assert.equal((await drain()).length, 2)
    })

    test('100 jobs at once all arrive, those of one group in the order of sending', async (context) => {
      const { queue, drain } = await open(context)
      const jobs = Array.from({ length: 100 }, (_, index) => visionJob(`${index}`, { user_id: `user-${index % 3}` }))
      await Promise.all(jobs.map((job) => queue.send(job)))
      const drained = await drain()
      assert.deepEqual(ids(drained).sort(), ids(jobs).sort())
      const groupOf = ({ user_id, job_id }: VisionJob) => jobGroup(user_id, job_id)
      for (const [group, members] of Map.groupBy(jobs, groupOf)) {
        assert.deepEqual(ids(drained.filter((job) => groupOf(job) === group)), ids(members))
      }
    })

    test('refuses a job that is too large, and takes the others that came with it', async (context) => {
      const { queue, drain } = await open(context)
      const tooLarge = visionJob('large', { etag: 'x'.repeat(1_048_577) })
      const ends = await Promise.allSettled([visionJob('a'), tooLarge, visionJob('b')].map(queue.send))
      assert.deepEqual(
        ends.map(({ status }) => status),
        ['fulfilled', 'rejected', 'fulfilled'],
      )
      assert.ok(ends[1]?.status === 'rejected' && ends[1].reason instanceof RefusalError)
      assert.deepEqual(ids(await drain()).sort(), ids([visionJob('a'), visionJob('b')]).sort())
    })

    test('answers a ping', async (context) => {
      const { queue } = await open(context)
      await queue.ping()
      await queue.ping(AbortSignal.timeout(10_000))
    })

    for (const [call, make] of Object.entries(calls)) {
      test(`${call} on a queue that does not exist is a fault of the set-up`, async (context) => {
        const { misplaced } = await open(context)
        await assert.rejects(make(misplaced), SetupError)
      })

      test(`${call} while nothing answers is an outage`, async (context) => {
        const { away } = await open(context)
        await assert.rejects(make(away), OutageError)
      })
    }
  })
}

const calls: Readonly<Record<string, (queue: JobQueue) => Promise<unknown>>> = {
  send: (queue) => queue.send(visionJob('a')),
  ping: (queue) => queue.ping(),
}
