import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { eventRecord } from '#shared/domain/events.ts'
import { jobId } from '#shared/domain/ids.ts'
import { eventually } from '../../support/eventually.ts'
import { keyFacts, traceparent, uploadedAt, uploadedEvent } from './events.ts'
import { keysOf, normalPath, open } from './world.ts'

const minutes = (count: number) => new Date(uploadedAt.getTime() + count * 60_000)
const days = (count: number) => minutes(count * 24 * 60)

suite('an image.uploaded', () => {
  test('of a scan becomes one job, which is announced and then entered after it was sent', async () => {
    const { jobs, events, ledger, calls, tell, dispatched, counts } = open()
    const event = uploadedEvent('scan')
    const { data } = event
    assert.deepEqual(await tell(event), { kind: 'done' })
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
        requested_at: '2025-01-01T12:00:01.000Z',
        event_id: event.id,
        traceparent,
      },
    ])
    assert.deepEqual(calls, normalPath, 'a young event asks the ledger nothing')
    assert.deepEqual([...ledger.facts], [keysOf(event).entry])
    const [announced, ...others] = dispatched()
    assert.ok(announced)
    assert.deepEqual(others, [])
    const { job_id, key, user_id } = data
    assert.deepEqual(announced.data, { job_id, key, user_id, event_id: event.id })
    assert.deepEqual([announced.subject, announced.traceparent, events.records[0]?.key], [key, traceparent, key])
    const { 'scans dispatched': settled, dispatch_delay_seconds_sum: sum } = await counts()
    assert.deepEqual([settled, sum], [1, 1])
  })

  for (const purpose of ['profile', 'chat'] as const) {
    test(`of purpose ${purpose} asks for no job`, async () => {
      const { calls, tell, counts } = open()
      assert.deepEqual(await tell(uploadedEvent(purpose)), { kind: 'done' })
      assert.deepEqual([calls, (await counts())['scans passed']], [[], 1])
    })
  }

  test('of another purpose becomes a job under the derived id where that is wanted', async () => {
    const { jobs, ledger, tell } = open({ purposes: ['chat'] })
    const event = uploadedEvent('chat')
    await tell(event)
    await tell(uploadedEvent('scan'))
    const id = jobId('my-images', keyFacts('chat', 1).key)
    assert.deepEqual(
      jobs.jobs.map(({ job_id }) => job_id),
      [id],
    )
    assert.deepEqual([...ledger.facts], [`jobs/20250101/${id}`])
  })

  test('of a scan that does not name its job gets the derived one', async () => {
    const { jobs, tell } = open()
    const event = uploadedEvent('scan')
    const { job_id, ...data } = event.data
    await tell({ ...event, data })
    assert.equal(jobs.jobs[0]?.job_id, job_id)
  })

  test('with fields that were added later is read', async () => {
    const { jobs, take } = open()
    const event = uploadedEvent('scan')
    const changed = { ...event, addedlater: 1, data: { ...event.data, added_later: { x: 1 } } }
    await take('image.uploaded', JSON.stringify(changed))
    assert.equal(jobs.jobs.length, 1)
  })

  for (const [what, changes] of [
    ['size', { size: 10_485_761 }],
    ['pixels', { width: 10_000, height: 5_001 }],
  ] as const) {
    test(`whose ${what} no policy takes becomes no job`, async () => {
      const { calls, tell } = open()
      const event = uploadedEvent('scan')
      assert.deepEqual(await tell({ ...event, data: { ...event.data, ...changes } }), { kind: 'done' })
      assert.deepEqual(calls, [])
    })
  }
})

suite('an image.uploaded that comes again', () => {
  test('within 4 minutes is left to the queue, and its announcement has the same id', async () => {
    const { jobs, calls, tell, pass, dispatched, counts } = open()
    await tell(uploadedEvent('scan'))
    pass(230)
    await tell(uploadedEvent('scan'))
    assert.equal(jobs.jobs.length, 1)
    assert.deepEqual(calls, [...normalPath, ...normalPath])
    assert.equal(new Set(dispatched().map(({ id }) => id)).size, 1)
    const { 'scans dispatched': first, 'scans already_dispatched': second } = await counts()
    assert.deepEqual([first, second], [1, 1])
  })

  test('later is found in the ledger: nothing is sent, announced or written', async () => {
    const { jobs, calls, tell, pass, counts } = open()
    await tell(uploadedEvent('scan'))
    for (const seconds of [239, 70, 3_600, 29 * 86_400]) {
      pass(seconds)
      calls.length = 0
      assert.deepEqual(await tell(uploadedEvent('scan')), { kind: 'done' })
      assert.deepEqual(calls, ['ledger.find'])
    }
    assert.deepEqual([jobs.jobs.length, (await counts())['scans already_dispatched']], [1, 4])
  })

  test('as another state of a re-created key makes no second job', async () => {
    const { jobs, tell, pass } = open()
    await tell(uploadedEvent('scan'))
    pass(600)
    await tell(uploadedEvent('scan', 1, { at: minutes(5), ticketAt: uploadedAt, etag: 'other', versionId: 'v2' }))
    assert.deepEqual(
      jobs.jobs.map(({ etag }) => etag),
      ['abc'],
    )
  })

  test('and comes late for the first time is sent all the same', async () => {
    const { jobs, calls, tell, pass, counts } = open()
    pass(7_200)
    await tell(uploadedEvent('scan'))
    assert.deepEqual(calls, ['ledger.find', ...normalPath])
    assert.equal(jobs.jobs.length, 1)
    assert.equal((await counts())['dispatch_delay_seconds_sum'], 7_201)
  })

  test('is looked up again when its process was frozen after the ledger had answered', async () => {
    const { jobs, ledger, calls, tell, pass } = open()
    const event = uploadedEvent('scan')
    pass(600)
    const release = ledger.faults.hold('find')
    const told = tell(event)
    await eventually(() => ledger.faults.calls.get('find'), 'the ledger to be asked')
    pass(400)
    release()
    await told
    assert.deepEqual(calls, ['ledger.find', 'ledger.find', ...normalPath])
    assert.equal(jobs.jobs.length, 1)
  })

  test('asks the ledger when it is 4 minutes old, or so far ahead of the clock that its age is not known', async () => {
    for (const [ageSeconds, looks] of [
      [239, false],
      [240, true],
      [-59, false],
      [-61, true],
    ] as const) {
      const { calls, tell, now } = open()
      await tell(uploadedEvent('scan', 1, { at: new Date(now().getTime() - ageSeconds * 1000) }))
      assert.equal(calls.includes('ledger.find'), looks, `${ageSeconds} s`)
    }
  })
})

test('of an image.uploaded that tells two times the older one holds', async () => {
  const event = uploadedEvent('scan')
  for (const [ageDays, end] of [
    [0.01, 'dispatched'],
    [31, 'expired'],
  ] as const) {
    const old = new Date(uploadedAt.getTime() - ageDays * 86_400_000).toISOString()
    for (const told of [
      { ...event, time: old },
      { ...event, data: { ...event.data, uploaded_at: old } },
    ]) {
      const { calls, tell, counts } = open()
      await tell(told)
      assert.deepEqual([calls[0], (await counts())[`scans ${end}`]], [ageDays < 1 ? 'ledger.find' : undefined, 1])
    }
  }
})

suite('an image.uploaded of a scan that is not kept any more', () => {
  for (const [what, event] of [
    ['by its upload', uploadedEvent('scan')],
    ['by the day in its key', uploadedEvent('scan', 1, { at: days(20), ticketAt: uploadedAt })],
  ] as const) {
    test(`(${what}) is expired and costs no call`, async () => {
      const { calls, tell, pass, counts } = open()
      pass(30.6 * 86_400)
      assert.deepEqual(await tell(event), { kind: 'done' })
      assert.deepEqual([calls, (await counts())['scans expired']], [[], 1])
    })
  }

  test('is one only after 30 days', async () => {
    const { jobs, tell, pass } = open()
    pass(30 * 86_400 - 2)
    await tell(uploadedEvent('scan', 1))
    pass(2)
    await tell(uploadedEvent('scan', 2))
    assert.equal(jobs.jobs.length, 1)
  })

  test('is one after its own purpose, not after that of scans', async () => {
    const { jobs, tell, pass } = open({ purposes: ['scan', 'chat'] })
    pass(8 * 86_400)
    await tell(uploadedEvent('scan'))
    await tell(uploadedEvent('chat'))
    assert.equal(jobs.jobs.length, 1)
  })
})

suite('a record of image.uploaded', () => {
  const event = uploadedEvent('scan')
  const { value } = eventRecord(event)
  const withKey = (key: string) => JSON.stringify({ ...event, data: { ...event.data, key } })
  for (const [what, text, reason] of [
    ['is not JSON', 'hello', /^the record is not JSON$/],
    ['is another event', JSON.stringify({ ...event, type: 'image.deleted' }), /type: /],
    ['lacks its data', JSON.stringify({ ...event, data: undefined }), /no image\.uploaded event: data: /],
    ['has an impossible width', value.replace('"width":64', '"width":-1'), /data\.width/],
    ['is null', 'null', /no image\.uploaded event/],
    [
      'names a key that is none',
      withKey('scans/20250101/u'),
      /key "scans\/20250101\/u" is not ours: it is not of the form/,
    ],
    ['names a key of another purpose', withKey(keyFacts('chat', 1).key), /is that of no scan/],
    [
      'names the job of another scan',
      withKey(keyFacts('scan', 2).key),
      new RegExp(`names the job ${event.data.job_id ?? ''}, but its scan's is [0-9a-f]{32}$`),
    ],
  ] as const) {
    test(`that ${what} is rejected with the reason, and sends nothing`, async () => {
      const { calls, take, counts } = open()
      const outcome = await take('image.uploaded', text)
      assert.ok(outcome.kind === 'reject')
      assert.match(outcome.reason, reason)
      assert.ok(outcome.reason.length < 600)
      assert.deepEqual([calls, (await counts())['scans dead_lettered']], [[], 1])
    })
  }
})
