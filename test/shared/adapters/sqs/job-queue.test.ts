import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { sqsJobQueue } from '#shared/adapters/sqs/job-queue.ts'
import { recentMs } from '#shared/domain/dispatch.ts'
import { jobGroup } from '#shared/domain/ids.ts'
import { OutageError } from '#shared/ports/failures.ts'
import { remembersMs, sendWithinMs } from '#shared/ports/job-queue.ts'
import { visionJob } from '../../../contract/job-queue.ts'
import { allDone, openScriptedSqs, type SqsAnswer, type SqsCall } from './scripted-sqs.ts'

const failed =
  (code: string, senderFault: boolean) =>
  (call: SqsCall): SqsAnswer => {
    const [first, ...others] = call.entries
    const Failed = first ? [{ Id: first.Id, Code: code, SenderFault: senderFault }] : []
    return { body: { Successful: others.map(({ Id }) => ({ Id })), Failed } }
  }

suite('the SQS job queue', () => {
  test('sends a job under its own id, in the lane of its user', async (context) => {
    const { calls, ...options } = await openScriptedSqs(context, allDone)
    const job = visionJob('a')
    await sqsJobQueue(options).send(job)
    assert.deepEqual(calls[0]?.entries, [
      {
        Id: '0',
        MessageBody: JSON.stringify(job),
        MessageGroupId: jobGroup(job.user_id, job.job_id),
        MessageDeduplicationId: job.job_id,
      },
    ])
  })

  test('no batch is larger than 256 KB, though one job may be', async (context) => {
    const { calls, ...options } = await openScriptedSqs(context, allDone)
    const { send } = sqsJobQueue(options)
    const sizes = [60_000, 60_000, 60_000, 60_000, 60_000, 300_000, 60_000]
    await Promise.all(sizes.map((size, index) => send(visionJob(`${index}`, { etag: 'x'.repeat(size) }))))
    assert.deepEqual(
      calls.map(({ entries }) => entries.length),
      [4, 1, 1, 1],
    )
  })

  test('of a batch only the job at fault is refused; one that the queue failed on waits', async (context) => {
    for (const [senderFault, name] of [
      [true, 'RefusalError'],
      [false, 'OutageError'],
    ] as const) {
      const options = await openScriptedSqs(context, failed('InvalidMessageContents', senderFault))
      const { send } = sqsJobQueue(options)
      const ends = await Promise.allSettled(['a', 'b', 'c'].map((one) => send(visionJob(one))))
      // All that is thrown is an Error.
      const kinds = ends.map((end) => (end.status === 'fulfilled' ? 'sent' : (end.reason as Error).name))
      assert.deepEqual(kinds, [name, 'sent', 'sent'])
    }
  })

  test('a job that waited too long never leaves, and those under way are given up', async (context) => {
    const held = Promise.withResolvers<undefined>()
    const { calls, ...options } = await openScriptedSqs(context, async (call) => {
      await held.promise
      return allDone(call)
    })
    const { send } = sqsJobQueue({ ...options, withinMs: 200 })
    const jobs = Array.from({ length: 11 }, (_, index) => visionJob(`${index}`))
    await Promise.all(jobs.map((job) => assert.rejects(send(job), OutageError)))
    held.resolve(undefined)
    await send(visionJob('later'))
    const sent = calls.flatMap(({ entries }) => entries.map(({ MessageDeduplicationId }) => MessageDeduplicationId))
    assert.deepEqual(
      sent,
      [...jobs.slice(0, 10), visionJob('later')].map(({ job_id }) => job_id),
    )
  })

  test('a job never leaves a process that was frozen before it could', async (context) => {
    const { calls, ...options } = await openScriptedSqs(context, allDone)
    const { send } = sqsJobQueue({ ...options, withinMs: 200 })
    await send(visionJob('before'))
    const late = assert.rejects(send(visionJob('late')), OutageError)
    const until = performance.now() + 300
    while (performance.now() < until);
    await late
    await send(visionJob('after'))
    const sent = calls.flatMap(({ entries }) => entries.map(({ MessageDeduplicationId }) => MessageDeduplicationId))
    assert.deepEqual(
      sent,
      ['before', 'after'].map((name) => visionJob(name).job_id),
    )
  })

  test('a job is known to the queue for as long as repeats are sent unasked', () => {
    assert.ok(recentMs + sendWithinMs < remembersMs)
  })
})
