import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'

import { imageDeletedSchema, imageRejectedSchema, imageUploadedSchema } from '#shared/domain/events.ts'
import { jobId } from '#shared/domain/ids.ts'
import { parseKey } from '#shared/domain/keys.ts'
import { verdictRecordSchema } from '#shared/domain/verdict.ts'
import { OutageError } from '#shared/ports/failures.ts'
import type { NotificationRecord } from '../../../services/upload-watcher/notification.ts'
import { settleRecord } from '../../../services/upload-watcher/settle.ts'
import { eventually } from '../../support/eventually.ts'
import { goodPhoto, pdfBytes } from '../../support/images.ts'
import { bucket, keyOf } from './notifications.ts'
import { connect, openWorld, type World } from './world.ts'

const signal = new AbortController().signal
const scan = keyOf('scan', 1)

type Changes = { eventName?: string; bucket?: string; versionId?: string; sequencer?: string }
const eventTime = new Date('2025-01-01T12:00:00Z')
const subject = { eventName: 'ObjectCreated:Put', bucket, eventTime }
const recordOf = (key: string, changes: Changes = {}): NotificationRecord => ({
  kind: 'created',
  key,
  ...subject,
  ...changes,
})
const removalOf = (key: string, kind: 'deleted' | 'expired', changes: Changes = {}): NotificationRecord => ({
  kind,
  removal: 'object',
  key,
  ...subject,
  ...changes,
})
const settle = (world: World, record: NotificationRecord) => settleRecord(connect(world), record, signal)
const verdictOf = (world: World, key: string) =>
  verdictRecordSchema.parse(JSON.parse(world.states.text(`verdicts/${key}`)))
const valuesOf = (world: World): unknown[] => world.events.records.map(({ value }) => JSON.parse(value) as unknown)

suite('a record', () => {
  test('of a good scan is published with its job, and its verdict is stored', async () => {
    const world = openWorld()
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    const bytes = await goodPhoto('image/png')
    const object = world.images.upload({ key: scan, bytes, contentType: 'image/png', metadata: { traceparent } })
    const settled = await settle(world, recordOf(scan))
    const [event, ...others] = valuesOf(world).map((value) => imageUploadedSchema.parse(value))
    assert.ok(event)
    assert.deepEqual(others, [])
    assert.deepEqual(settled, { outcome: 'uploaded', key: scan, eventId: event.id, traceparent })
    assert.deepEqual([world.events.records[0]?.topic, world.events.records[0]?.key], ['image.uploaded', scan])
    const { size, etag, lastModified } = object
    const { data } = event
    assert.deepEqual(
      [data.size, data.etag, data.uploaded_at, data.width, data.height, data.content_type, data.cdn_url],
      [size, etag, lastModified.toISOString(), 64, 48, 'image/png', `https://cdn.example.com/${scan}`],
    )
    const parsed = parseKey(scan)
    assert.ok(parsed.ok)
    assert.deepEqual([data.job_id, event.traceparent], [jobId(bucket, parsed.facts.key), traceparent])
    const verdict = verdictOf(world, scan)
    assert.deepEqual([verdict.verdict, verdict.event_id, verdict.etag], ['accepted', event.id, etag])
  })

  test('of a profile image asks for no job', async () => {
    const world = openWorld()
    const key = keyOf('profile', 1)
    world.images.upload({ key, bytes: await goodPhoto('image/webp'), contentType: 'image/webp' })
    await settle(world, recordOf(key))
    assert.equal(imageUploadedSchema.parse(valuesOf(world)[0]).data.job_id, undefined)
  })

  test('of a liar is published as rejected with a reason, and its verdict is stored', async () => {
    const world = openWorld()
    world.images.upload({ key: scan, bytes: pdfBytes(1), contentType: 'image/jpeg' })
    const settled = await settle(world, recordOf(scan))
    const event = imageRejectedSchema.parse(valuesOf(world)[0])
    const { id: eventId, traceparent } = event
    assert.deepEqual(settled, { outcome: 'rejected', key: scan, eventId, traceparent, reason: 'not_an_image' })
    assert.match(event.data.detail, /a PDF sent as image\/jpeg/)
    const verdict = verdictOf(world, scan)
    assert.deepEqual([verdict.verdict, verdict.reason, verdict.detail], ['rejected', 'not_an_image', event.data.detail])
  })

  for (const [kind, cause] of [
    ['deleted', 'deleted'],
    ['expired', 'expired'],
  ] as const) {
    test(`of an object that was ${kind} is published, and the object is not looked at`, async () => {
      const world = openWorld()
      const record = removalOf(scan, kind, { sequencer: '0055AED6DCD90281E5' })
      const settled = await settle(world, record)
      const event = imageDeletedSchema.parse(valuesOf(world)[0])
      assert.deepEqual(settled, { outcome: 'deleted', key: scan, eventId: event.id })
      assert.deepEqual([event.data.cause, event.data.deleted_at], [cause, '2025-01-01T12:00:00.000Z'])
      assert.equal(world.images.faults.calls.size, 0)
      assert.equal(world.states.objects.size, 0)
    })
  }

  test('of an object that is not there is gone, after some looks, and publishes nothing', async () => {
    const world = openWorld()
    assert.deepEqual(await settle(world, recordOf(scan)), { outcome: 'gone', key: scan })
    assert.equal(world.images.faults.calls.get('readStart'), 3)
    assert.deepEqual([world.events.records.length, world.states.objects.size], [0, 0])
  })

  test('of an object that shows a moment later is published', async () => {
    const world = openWorld()
    const settled = settle(world, recordOf(scan))
    await eventually(() => world.images.faults.calls.get('readStart') === 1, 'the first look')
    world.images.upload({ key: scan, bytes: await goodPhoto('image/gif'), contentType: 'image/gif' })
    assert.equal((await settled).outcome, 'uploaded')
  })

  test('whose read hangs ends at its deadline as an outage, and what is read later moves nothing', async (context) => {
    const world = openWorld()
    world.images.upload({ key: scan, bytes: await goodPhoto('image/gif'), contentType: 'image/gif' })
    const release = world.images.faults.hold('readStart')
    context.mock.timers.enable({ apis: ['setTimeout'] })
    const settled = settle(world, recordOf(scan))
    context.mock.timers.tick(10_000)
    await assert.rejects(settled, OutageError)
    release()
    for (let turn = 0; turn < 20; turn++) await nextTurn()
    assert.equal(world.images.faults.calls.get('readStart'), 1)
    assert.deepEqual([world.events.records.length, world.states.objects.size], [0, 0])
  })

  test('of one version says nothing of another', async () => {
    const world = openWorld()
    world.images.upload({ key: scan, bytes: pdfBytes(1), contentType: 'image/jpeg', versionId: 'v2' })
    assert.equal((await settle(world, recordOf(scan, { versionId: 'v1' }))).outcome, 'gone')
    assert.equal((await settle(world, recordOf(scan, { versionId: 'v2' }))).outcome, 'rejected')
    assert.equal(imageRejectedSchema.parse(valuesOf(world)[0]).data.version_id, 'v2')
  })

  test('of another kind is ignored, wherever it is', async () => {
    const world = openWorld()
    const record: NotificationRecord = { ...subject, kind: 'other', bucket: 'y', key: 'x' }
    assert.deepEqual(await settle(world, record), { outcome: 'ignored', key: 'x', reason: 'other' })
  })

  for (const [what, record, reason] of [
    ['another bucket', recordOf(scan, { bucket: 'others' }), /bucket others is not ours/],
    ['a key of no purpose', recordOf('elsewhere/a'), /is not ours: it begins with none of scans\//],
    ['a folder marker', recordOf('scans/20250101/'), /is not ours: it is not of the form/],
    ['an impossible key', recordOf('scans/20251301/user-1/' + '0'.repeat(32)), /its date is not a day/],
    ['the removal of a strange key', removalOf('elsewhere/a', 'deleted'), /is not ours/],
  ] as const) {
    test(`of ${what} is quarantined with a reason, and touches nothing`, async () => {
      const world = openWorld()
      const settled = await settle(world, record)
      assert.equal(settled.outcome, 'quarantined')
      assert.match(settled.detail ?? '', reason)
      assert.equal(world.images.faults.calls.size + world.events.records.length + world.states.objects.size, 0)
    })
  }

  test('that is repeated gives the same event and verdict, byte for byte', async () => {
    const world = openWorld()
    world.images.upload({ key: scan, bytes: await goodPhoto('image/avif'), contentType: 'image/avif' })
    await settle(world, recordOf(scan))
    const verdict = world.states.text(`verdicts/${scan}`)
    await settle(world, recordOf(scan, { eventName: 'ObjectCreated:Copy', sequencer: '01' }))
    const [first, second] = world.events.records
    assert.equal(first?.value, second?.value)
    assert.equal(world.states.text(`verdicts/${scan}`), verdict)
  })

  test('of an object that is created again is judged anew under another id', async () => {
    const world = openWorld()
    world.images.upload({ key: scan, bytes: await goodPhoto('image/png'), contentType: 'image/png' })
    const first = await settle(world, recordOf(scan))
    world.images.upload({ key: scan, bytes: pdfBytes(1), contentType: 'image/png' })
    const second = await settle(world, recordOf(scan))
    assert.deepEqual([first.outcome, second.outcome], ['uploaded', 'rejected'])
    assert.notEqual(first.eventId, second.eventId)
    assert.equal(verdictOf(world, scan).verdict, 'rejected')
  })
})
