import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { announceVerdict } from '#shared/domain/announce.ts'
import { eventRecord, scanDispatchedSchema } from '#shared/domain/events.ts'
import { makeKey } from '#shared/domain/keys.ts'
import type { Purpose } from '#shared/domain/purposes.ts'
import type { LogRecord } from '#shared/ports/event-log.ts'
import { OutageError, RefusalError, SetupError } from '#shared/ports/failures.ts'
import { openLog } from '#shared/runtime/log.ts'
import { dispatchScan, type DispatchDeps } from '../../../services/scan-dispatcher/dispatch.ts'
import { fakeEventLog } from '../../support/fakes/event-log.ts'
import { fakeJobQueue } from '../../support/fakes/job-queue.ts'
import { intercept } from '../../support/fakes/intercept.ts'

const place = { bucket: 'my-images', cdnBaseUrl: 'https://cdn.example.com' }
const uploadedAt = new Date('2025-01-01T12:00:00Z')
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

const uploadedEvent = (purpose: Purpose, number = 1) => {
  const made = makeKey({
    purpose,
    userId: 'ünï@example.com',
    id: number.toString(16).padStart(32, '0'),
    now: uploadedAt,
  })
  assert.ok(made.ok)
  const { key } = made.facts
  const object = { key, size: 1000, contentType: 'image/jpeg', etag: 'abc', versionId: 'v1', lastModified: uploadedAt }
  const image = { kind: 'image', type: 'image/jpeg', width: 64, height: 48, animated: false, orientation: 6 } as const
  const verdict = { kind: 'accepted', image } as const
  const event = announceVerdict(place, made.facts, { ...object, metadata: { traceparent } }, verdict)
  assert.ok(event.type === 'image.uploaded')
  return event
}

const recordOf = (value: string): LogRecord => ({
  topic: 'image.uploaded',
  partition: 0,
  offset: '0',
  key: 'key',
  value,
  headers: {},
  appendedAt: uploadedAt,
})

const open = () => {
  const jobs = fakeJobQueue()
  const events = fakeEventLog()
  const told: string[] = []
  const calls: string[] = []
  let nowMs = uploadedAt.getTime() + 60_000
  const around = (call: string, proceed: () => Promise<unknown>) => {
    calls.push(call)
    return proceed()
  }
  const deps: DispatchDeps = {
    jobs: intercept('jobs', jobs.queue, around),
    events: intercept('events', events.log, around),
    log: openLog({ name: 'test', level: 'silent' }),
    metrics: { settled: (outcome) => void told.push(outcome), waited: () => void told.push('waited') },
    shut: (service) => void told.push(`shut ${service}`),
    now: () => new Date(nowMs++),
  }
  const handle = (value: string) =>
    dispatchScan(deps)(recordOf(value), { signal: new AbortController().signal, attempt: 1 })
  const dispatched = () => events.records.map(({ value }) => scanDispatchedSchema.parse(JSON.parse(value)))
  return { jobs, events, told, calls, handle, dispatched }
}

suite('an image.uploaded', () => {
  test('of a scan becomes one job, which is announced after it was sent', async () => {
    const { jobs, events, told, calls, handle, dispatched } = open()
    const event = uploadedEvent('scan')
    const { data } = event
    assert.deepEqual(await handle(eventRecord(event).value), { kind: 'done' })
    assert.deepEqual(jobs.jobs, [
      {
        job_id: data.job_id,
        image_url: data.cdn_url,
        bucket: 'my-images',
        key: data.key,
        etag: 'abc',
        version_id: 'v1',
        user_id: 'ünï@example.com',
        content_type: 'image/jpeg',
        size: 1000,
        width: 64,
        height: 48,
        orientation: 6,
        requested_at: '2025-01-01T12:01:00.000Z',
        event_id: event.id,
        traceparent,
      },
    ])
    assert.deepEqual(calls, ['jobs.send', 'events.append'])
    const [announced, ...others] = dispatched()
    assert.ok(announced)
    assert.deepEqual(others, [])
    const { job_id, key, user_id } = data
    assert.deepEqual(announced.data, { job_id, key, user_id, event_id: event.id })
    assert.deepEqual([announced.subject, announced.traceparent, events.records[0]?.key], [key, traceparent, key])
    assert.deepEqual(told, ['dispatched'])
  })

  for (const purpose of ['profile', 'chat'] as const) {
    test(`of purpose ${purpose} asks for no job`, async () => {
      const { told, calls, handle } = open()
      assert.deepEqual(await handle(eventRecord(uploadedEvent(purpose)).value), { kind: 'done' })
      assert.deepEqual([calls, told], [[], ['passed']])
    })
  }

  test('with fields that were added later is read', async () => {
    const { jobs, handle } = open()
    const event = uploadedEvent('scan')
    await handle(JSON.stringify({ ...event, addedlater: 1, data: { ...event.data, added_later: { x: 1 } } }))
    assert.equal(jobs.jobs.length, 1)
  })

  test('that is repeated adds no job, and its announcement has the same id', async () => {
    const { jobs, handle, dispatched } = open()
    const { value } = eventRecord(uploadedEvent('scan'))
    await handle(value)
    await handle(value)
    assert.equal(jobs.jobs.length, 1)
    assert.equal(new Set(dispatched().map(({ id }) => id)).size, 1)
  })

  test('whose handling breaks off between job and announcement repeats under the same ids', async () => {
    const { jobs, events, handle, dispatched } = open()
    const event = uploadedEvent('scan')
    const { value } = eventRecord(event)
    events.faults.fail('append', new Error('crash'))
    await assert.rejects(handle(value), /crash/)
    assert.deepEqual([jobs.jobs.length, dispatched().length], [1, 0])
    assert.deepEqual(await handle(value), { kind: 'done' })
    assert.equal(jobs.jobs.length, 1)
    assert.deepEqual(
      dispatched().map(({ data }) => data.job_id),
      [event.data.job_id],
    )
  })

  for (const [what, value, reason] of [
    ['is not JSON', 'hello', /^the record is not JSON$/],
    ['is another event', JSON.stringify({ ...uploadedEvent('scan'), type: 'image.deleted' }), /type: /],
    [
      'lacks its data',
      JSON.stringify({ ...uploadedEvent('scan'), data: undefined }),
      /no image\.uploaded event: data: /,
    ],
    [
      'has an impossible width',
      JSON.stringify(uploadedEvent('scan')).replace('"width":64', '"width":-1'),
      /data\.width/,
    ],
    ['is null', 'null', /no image\.uploaded event/],
  ] as const) {
    test(`that ${what} is rejected with the reason, and sends nothing`, async () => {
      const { calls, handle } = open()
      const outcome = await handle(value)
      assert.ok(outcome.kind === 'reject')
      assert.match(outcome.reason, reason)
      assert.ok(outcome.reason.length < 600)
      assert.deepEqual(calls, [])
    })
  }

  test('that meets an outage throws it on, and tells readiness which service is away', async () => {
    const { jobs, events, told, handle } = open()
    const { value } = eventRecord(uploadedEvent('scan'))
    jobs.faults.fail('send', new OutageError('SQS', 'a test'))
    await assert.rejects(handle(value), OutageError)
    events.faults.fail('append', new OutageError('the event log', 'a test'))
    await assert.rejects(handle(value), OutageError)
    assert.deepEqual(told, ['waited', 'shut SQS', 'waited', 'shut the event log'])
  })

  for (const error of [new RefusalError('the job is too large'), new SetupError('there is no such queue')]) {
    test(`that meets a ${error.name} throws it on, and shuts nothing`, async () => {
      const { jobs, events, told, handle } = open()
      jobs.faults.fail('send', error)
      await assert.rejects(handle(eventRecord(uploadedEvent('scan')).value), error)
      assert.deepEqual([told, events.records], [[], []])
    })
  }
})
