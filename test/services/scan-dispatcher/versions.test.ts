import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import type { ImageDeleted, ImageUploaded } from '#shared/domain/events.ts'
import { deletedEvent, uploadedEvent } from './events.ts'
import { open } from './world.ts'

const added = { added_later: { list: [1, null], text: 'of another version' } }

type Change = { data?: object; envelope?: object; without?: readonly string[] }

/** An event as another version writes it: with fields, and values of its lists, that this one does not know. */
const change = (event: ImageUploaded | ImageDeleted, { data = {}, envelope = {}, without = [] }: Change): string => {
  const changed = { ...event, ...added, ...envelope, data: { ...event.data, ...added, ...data } }
  // Only what JSON says of it counts.
  return JSON.stringify(changed, (name, value: unknown) => (without.includes(name) ? undefined : value))
}

/** What the dispatcher makes of it. */
const tell = async (event: ImageUploaded | ImageDeleted, changes: Change) => {
  const { take, jobs, ledger, counts } = open()
  const outcome = await take(event.type, change(event, changes))
  return { outcome, jobs: jobs.jobs, notes: [...ledger.facts], counts: await counts() }
}

suite('an event of another version', () => {
  test('with fields that are not known becomes the very same job', async () => {
    const event = uploadedEvent('scan')
    const { take, jobs } = open()
    await take(event.type, JSON.stringify(event))
    assert.deepEqual((await tell(event, {})).jobs, jobs.jobs)
  })

  for (const without of ['version_id', 'orientation', 'has_gps', 'job_id', 'traceparent']) {
    test(`without ${without} becomes a job without it`, async () => {
      const event = uploadedEvent('scan')
      const { outcome, jobs } = await tell(event, { without: [without] })
      assert.deepEqual([outcome, jobs.length], [{ kind: 'done' }, 1])
      const [job] = jobs
      assert.ok(job && (without === 'job_id' || !(without in job)))
      assert.equal(job.job_id, event.data.job_id)
    })
  }

  for (const data of [{ content_type: 'image/jxl' }, { checked: 'decoded' }]) {
    test(`with ${JSON.stringify(data)}, which is not known, becomes a job`, async () => {
      const { outcome, jobs } = await tell(uploadedEvent('scan'), { data })
      assert.deepEqual([outcome, jobs.length], [{ kind: 'done' }, 1])
      if (data.content_type) assert.equal(jobs[0]?.content_type, data.content_type)
    })
  }

  test('of a purpose that is not known asks for no job and is no dead letter', async () => {
    const { outcome, jobs, counts } = await tell(uploadedEvent('scan'), { data: { purpose: 'passport' } })
    assert.deepEqual([outcome, jobs, counts['scans passed']], [{ kind: 'done' }, [], 1])
  })

  for (const data of [{ cause: 'moved' }, { purpose: 'passport' }]) {
    test(`that tells a removal with ${JSON.stringify(data)}, which is not known, cancels nothing`, async () => {
      const { outcome, notes, counts } = await tell(deletedEvent('scan'), { data })
      assert.deepEqual([outcome, notes, counts['cancels passed']], [{ kind: 'done' }, [], 1])
    })
  }

  test('that tells a removal without a version cancels the job', async () => {
    const { outcome, counts } = await tell(deletedEvent('scan'), { without: ['version_id', 'traceparent'] })
    assert.deepEqual([outcome, counts['cancels cancelled']], [{ kind: 'done' }, 1])
  })
})
