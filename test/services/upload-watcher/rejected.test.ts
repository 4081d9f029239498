import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { readVerdict } from '#shared/domain/verdict.ts'
import { OutageError } from '#shared/ports/failures.ts'
import { readConfig } from '#shared/runtime/config.ts'
import { watcherVariables } from '../../../services/upload-watcher/config.ts'
import type { NotificationRecord } from '../../../services/upload-watcher/notification.ts'
import { settleRecord } from '../../../services/upload-watcher/settle.ts'
import type { Around } from '../../support/fakes/intercept.ts'
import { goodPhoto, pdfBytes } from '../../support/images.ts'
import { bucket, keyOf } from './notifications.ts'
import { connect, eventsOf, openWorld, type World } from './world.ts'

const { signal } = new AbortController()
const key = keyOf('chat', 1)
const record: NotificationRecord = { kind: 'created', eventName: 'ObjectCreated:Put', bucket, key }
const settle = (world: World, around?: Around) =>
  settleRecord({ ...connect(world, around), rejectedAction: 'delete' }, record, signal)
const openRejected = (versionId?: string) => {
  const world = openWorld()
  world.images.upload({ key, bytes: pdfBytes(1), contentType: 'image/png', ...(versionId && { versionId }) })
  return world
}
const verdictOf = (world: World) => readVerdict(Buffer.from(world.states.text(`verdicts/${key}`)))
const readVariables = (changes: object) =>
  readConfig(watcherVariables, {
    UPLOADS_QUEUE_URL: 'http://127.0.0.1:1/uploads',
    QUARANTINE_QUEUE_URL: 'http://127.0.0.1:1/quarantine',
    ...changes,
  })

suite('a rejected object that is to be deleted', () => {
  for (const versionId of [undefined, 'v1']) {
    test(`is removed after its event and its verdict are stored, ${versionId ? 'by version' : 'by etag'}`, async () => {
      const world = openRejected(versionId)
      const calls: string[] = []
      const { outcome, eventId } = await settle(world, (call, proceed) => {
        calls.push(call)
        return proceed()
      })
      assert.equal(outcome, 'rejected')
      assert.deepEqual(calls, ['images.readStart', 'events.append', 'states.create', 'images.removeVersion'])
      assert.equal(world.images.objects.size, 0)
      const { verdict, reason, removed, event_id } = verdictOf(world) ?? {}
      assert.deepEqual([verdict, reason, removed, event_id], ['rejected', 'not_an_image', true, eventId])
    })

    test(`leaves what was written meanwhile, ${versionId ? 'by version' : 'by etag'}`, async () => {
      const world = openRejected(versionId)
      const bytes = await goodPhoto('image/png')
      await settle(world, (call, proceed) => {
        const newer = versionId && { versionId: 'v2' }
        if (call === 'states.create') world.images.upload({ key, bytes, contentType: 'image/png', ...newer })
        return proceed()
      })
      assert.equal(world.images.objects.get(key)?.object.size, bytes.length)
    })
  }

  test('leaves a newer version with the same bytes, and so the same etag', async () => {
    const world = openRejected('v1')
    await settle(world, (call, proceed) => {
      const again = { key, bytes: pdfBytes(1), contentType: 'image/png', versionId: 'v2' }
      if (call === 'states.create') world.images.upload(again)
      return proceed()
    })
    assert.equal(world.images.objects.get(key)?.object.versionId, 'v2')
  })

  test('is removed by the repeat when the first try did not get so far, under the same id', async () => {
    const world = openRejected()
    world.images.faults.fail('removeVersion', new OutageError('S3', 'a test'))
    await assert.rejects(settle(world), OutageError)
    const before = world.states.text(`verdicts/${key}`)
    assert.equal((await settle(world)).outcome, 'rejected')
    assert.deepEqual([world.images.objects.size, world.states.text(`verdicts/${key}`)], [0, before])
    assert.equal(new Set(eventsOf(world).map(({ id }) => id)).size, 1)
  })

  test('keeps its verdict when its notification comes again', async () => {
    const world = openRejected()
    await settle(world)
    const before = world.states.text(`verdicts/${key}`)
    assert.deepEqual(await settle(world), { outcome: 'gone', key })
    assert.equal(world.states.text(`verdicts/${key}`), before)
  })

  test('is told as deleted by the notification of its own removal', async () => {
    const world = openRejected('v1')
    const rejected = await settle(world)
    const removal = { ...record, kind: 'deleted', removal: 'version', versionId: 'v1', eventTime: new Date(0) } as const
    const { outcome, eventId } = await settleRecord(connect(world), removal, signal)
    assert.equal(outcome, 'deleted')
    const { event_id, removed, deleted } = verdictOf(world) ?? {}
    assert.deepEqual(
      [event_id, removed, deleted],
      [rejected.eventId, true, { event_id: eventId, at: new Date(0).toISOString() }],
    )
  })

  test('is none that was accepted', async () => {
    const world = openWorld()
    world.images.upload({ key, bytes: await goodPhoto('image/png'), contentType: 'image/png' })
    assert.equal((await settle(world)).outcome, 'uploaded')
    assert.deepEqual([world.images.objects.size, verdictOf(world)?.removed], [1, undefined])
  })

  test('is one by choice: without it, it is kept', async () => {
    const world = openRejected()
    await settleRecord(connect(world), record, signal)
    assert.deepEqual([world.images.objects.size, verdictOf(world)?.removed], [1, undefined])
    assert.equal(readVariables({}).REJECTED_ACTION, 'keep')
    assert.equal(readVariables({ REJECTED_ACTION: 'delete' }).REJECTED_ACTION, 'delete')
    assert.throws(() => readVariables({ REJECTED_ACTION: 'Delete' }), /is neither keep nor delete/)
  })
})
