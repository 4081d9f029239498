import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { OutageError, RefusalError } from '#shared/ports/failures.ts'
import type { ObjectStore } from '#shared/ports/object-store.ts'
import { readRemovalNote, readVerdict } from '#shared/domain/verdict.ts'
import type { NotificationRecord, RemovalRecord } from '../../../services/upload-watcher/notification.ts'
import { settleRecord } from '../../../services/upload-watcher/settle.ts'
import type { Around } from '../../support/fakes/intercept.ts'
import { goodPhoto } from '../../support/images.ts'
import { bucket, keyOf } from './notifications.ts'
import { connect, eventsOf, openWorld, type World } from './world.ts'

const { signal } = new AbortController()
const key = keyOf('scan', 1)
const photo = await goodPhoto('image/png')
const eventTime = new Date('2025-01-01T12:00:00Z')

type Changes = Partial<Pick<RemovalRecord, 'kind' | 'removal' | 'versionId' | 'sequencer'>>
const removalOf = (changes: Changes): RemovalRecord => ({
  kind: 'deleted',
  removal: 'version',
  eventName: 'ObjectRemoved:Delete',
  bucket,
  key,
  eventTime,
  ...changes,
})
const marker = removalOf({ removal: 'marker', versionId: 'm1', sequencer: '0A' })
const settle = (world: World, record: NotificationRecord) => settleRecord(connect(world), record, signal)
/** The same, with something that happens before each call. */
const settleWith = (world: World, record: NotificationRecord, before: (call: string) => Promise<void> | void) => {
  const around: Around = async (call, proceed) => {
    await before(call)
    return proceed()
  }
  return settleRecord(connect(world, around), record, signal)
}

/** Puts a version and has its notification settled. */
const upload = async (world: World, versionId: string) => {
  world.images.upload({ key, bytes: photo, contentType: 'image/png', versionId })
  const { outcome, eventId } = await settle(world, {
    kind: 'created',
    eventName: 'ObjectCreated:Put',
    bucket,
    key,
    versionId,
  })
  assert.equal(outcome, 'uploaded')
  return eventId
}
const openUploaded = async (versionId = 'v1') => {
  const world = openWorld()
  await upload(world, versionId)
  return world
}
const removed = async (versionId?: string) => {
  const world = await openUploaded(versionId)
  await world.images.store.remove(key)
  return world
}
const outcomesOf = async (world: World, records: readonly NotificationRecord[]) => {
  const outcomes: string[] = []
  for (const record of records) {
    const { outcome, reason } = await settle(world, record)
    outcomes.push(reason === undefined ? outcome : `${outcome} ${reason}`)
  }
  return outcomes
}
const deletionsOf = (world: World) => eventsOf(world).filter(({ topic }) => topic === 'image.deleted')
const versionsOf = (world: World) => deletionsOf(world).map(({ data }) => data['version_id'])
const verdictOf = (world: World) => readVerdict(Buffer.from(world.states.text(`verdicts/${key}`)))

suite('a removal in a bucket with versions', () => {
  test('of all versions and markers by their ids is told once, about the version that was uploaded', async () => {
    const world = await removed()
    const records = ['m1', 'v1', 'v0'].map((versionId) => removalOf({ versionId, sequencer: versionId }))
    assert.deepEqual(await outcomesOf(world, records), ['deleted', 'ignored already_told', 'ignored already_told'])
    assert.deepEqual(versionsOf(world), ['v1'])
  })

  test('by a marker is told about the version that the marker hides, and its later expiry is not told again', async () => {
    const world = await removed()
    const expiry = removalOf({ kind: 'expired', versionId: 'v1' })
    const markerExpiry = removalOf({ kind: 'expired', versionId: 'm1' })
    assert.deepEqual(await outcomesOf(world, [marker, expiry, markerExpiry]), [
      'deleted',
      'ignored already_told',
      'ignored already_told',
    ])
    const [event] = deletionsOf(world)
    assert.deepEqual(
      [event?.data['version_id'], event?.data['cause'], event?.data['deleted_at']],
      ['v1', 'deleted', '2025-01-01T12:00:00.000Z'],
    )
    assert.deepEqual(verdictOf(world)?.deleted, { event_id: event?.id, at: eventTime.toISOString() })
  })

  test('by lifecycle, first a marker and then the version, is told once as expired', async () => {
    const world = await removed()
    const records = [{ ...marker, kind: 'expired' as const }, removalOf({ kind: 'expired', versionId: 'v1' })]
    assert.deepEqual(await outcomesOf(world, records), ['deleted', 'ignored already_told'])
    assert.deepEqual(
      deletionsOf(world).map(({ data }) => data['cause']),
      ['expired'],
    )
  })

  for (const [what, record] of [
    ['an old version', removalOf({ versionId: 'v0' })],
    ['an old version by lifecycle', removalOf({ kind: 'expired', versionId: 'v0' })],
    ['a marker, so that the image shows again', removalOf({ versionId: 'm1' })],
    ['an image that was written again meanwhile', marker],
  ] as const) {
    test(`of ${what} is ignored: the key still has an object`, async () => {
      const world = await openUploaded()
      const before = world.states.text(`verdicts/${key}`)
      assert.deepEqual(await outcomesOf(world, [record]), ['ignored object_remains'])
      assert.deepEqual([deletionsOf(world), world.states.text(`verdicts/${key}`)], [[], before])
    })
  }

  test('that lets an older version show again has that looked at, so that the verdict is on it', async () => {
    const world = await openUploaded()
    const [first] = eventsOf(world)
    const verdict = verdictOf(world)
    world.states.upload({
      key: `verdicts/${key}`,
      bytes: Buffer.from(JSON.stringify({ ...verdict, version_id: 'v2', event_id: 'f'.repeat(32), removed: true })),
    })
    assert.deepEqual(await outcomesOf(world, [removalOf({ versionId: 'v2' })]), ['uploaded'])
    assert.deepEqual([eventsOf(world), verdictOf(world)], [[first, first], verdict])
    assert.deepEqual(await outcomesOf(world, [removalOf({ versionId: 'v2' })]), ['ignored object_remains'])
  })

  test('is ignored where an object is that no verdict speaks of: its own notification is on the way', async () => {
    const world = openWorld()
    world.images.upload({ key, bytes: photo, contentType: 'image/png', versionId: 'v1' })
    world.states.upload({ key: `verdicts/${key}`, bytes: Buffer.from('no JSON') })
    assert.deepEqual(await outcomesOf(world, [removalOf({ versionId: 'v0' })]), ['ignored object_remains'])
    assert.deepEqual(eventsOf(world), [])
  })

  test('keeps all else that the verdict says, also what another version of the watcher said', async () => {
    const world = await removed()
    const before = { ...verdictOf(world), reason: 'too_dark', added_later: { list: [1] } }
    const name = `verdicts/${key}`
    world.states.upload({ key: name, bytes: Buffer.from(JSON.stringify(before)), contentType: 'application/json' })
    const { eventId } = await settle(world, marker)
    const after: unknown = JSON.parse(world.states.text(name))
    assert.deepEqual(after, { ...before, deleted: { event_id: eventId, at: eventTime.toISOString() } })
  })

  test('is told again of the next version under the key', async () => {
    const world = await removed('v1')
    await settle(world, marker)
    await upload(world, 'v2')
    await world.images.store.remove(key)
    const expiry = removalOf({ kind: 'expired', versionId: 'v1' })
    assert.deepEqual(await outcomesOf(world, [removalOf({ versionId: 'v2' }), expiry]), [
      'deleted',
      'ignored already_told',
    ])
    assert.deepEqual(versionsOf(world), ['v1', 'v2'])
  })

  for (const [what, record, versionId, notes] of [
    ['of a version that was never seen is told about that version', removalOf({ versionId: 'v9' }), 'v9', []],
    ['by a marker of what was never seen is told about no version, and noted', marker, undefined, [`verdicts/${key}`]],
  ] as const) {
    test(what, async () => {
      const world = openWorld()
      assert.deepEqual(await outcomesOf(world, [record, record]), ['deleted', 'deleted'])
      assert.deepEqual(versionsOf(world), [versionId, versionId])
      assert.equal(new Set(deletionsOf(world).map(({ id }) => id)).size, 1)
      assert.deepEqual([...world.states.objects.keys()], notes)
    })
  }

  /** Settles the late notification of an upload that a marker hides. */
  const settleHidden = (world: World, lastModified: Date, versionId = 'v1') => {
    world.images.upload({ key, bytes: photo, contentType: 'image/png', versionId, lastModified })
    const hidden: Around = (call, proceed) => (call === 'images.head' ? Promise.resolve(undefined) : proceed())
    const created = { kind: 'created', eventName: 'ObjectCreated:Put', bucket, key, versionId } as const
    return settleRecord(connect(world, hidden), created, signal)
  }

  test('by a marker that overtook its upload has one id, also when it comes again after that', async () => {
    const world = openWorld()
    const { eventId } = await settle(world, marker)
    await settleHidden(world, new Date(eventTime.getTime() - 1000))
    await world.images.store.remove(key)
    assert.deepEqual(verdictOf(world)?.deleted, { event_id: eventId, at: eventTime.toISOString() })
    const later = [marker, removalOf({ versionId: 'v1' }), removalOf({ kind: 'expired', versionId: 'v1' })]
    assert.deepEqual(new Set(await outcomesOf(world, later)), new Set(['ignored already_told']))
    assert.equal(deletionsOf(world).length, 1)
  })

  test('of what was put after a removal that was told is told too', async () => {
    const world = openWorld()
    await settle(world, marker)
    await settleHidden(world, new Date(eventTime.getTime() + 1000))
    await world.images.store.remove(key)
    assert.deepEqual(await outcomesOf(world, [removalOf({ removal: 'marker', versionId: 'm2', sequencer: '0B' })]), [
      'deleted',
    ])
    assert.deepEqual(versionsOf(world), [undefined, 'v1'])
  })

  for (const [what, seconds, mark] of [
    ['before it is marked as gone', -1, true],
    ['after it stays as it is', 1, false],
  ] as const) {
    test(`by a marker, when the verdict is stored at that moment: on what was put ${what}`, async () => {
      const world = openWorld()
      await settleWith(world, marker, async (call) => {
        if (call !== 'states.create') return
        await settleHidden(world, new Date(eventTime.getTime() + seconds * 1000))
      })
      assert.equal(verdictOf(world)?.deleted !== undefined, mark)
    })
  }

  test('by a later marker is noted in the place of an earlier one, and not the other way round', async () => {
    const world = openWorld()
    const noted = () => readRemovalNote(Buffer.from(world.states.text(`verdicts/${key}`)))?.at
    const [early, late] = [eventTime, new Date(eventTime.getTime() + 5000)]
    for (const [at, sequencer, expected] of [
      [early, '0A', early],
      [late, '0B', late],
      [early, '0A', late],
    ] as const) {
      await settle(world, { ...marker, eventTime: at, sequencer })
      assert.equal(noted(), expected.toISOString())
    }
  })

  test('by lifecycle, of a version that was never seen, is ignored', async () => {
    const world = openWorld()
    const record = removalOf({ kind: 'expired', versionId: 'v0' })
    assert.deepEqual(await outcomesOf(world, [record]), ['ignored never_seen'])
    assert.deepEqual(eventsOf(world), [])
  })

  test('that no verdict can be read for is told as of what was never seen', async () => {
    const world = await removed()
    world.states.upload({ key: `verdicts/${key}`, bytes: Buffer.from('no JSON') })
    assert.deepEqual(await outcomesOf(world, [removalOf({ versionId: 'v1' })]), ['deleted'])
    assert.equal(world.states.text(`verdicts/${key}`), 'no JSON')
  })

  for (const [what, order] of [
    ['marker first', [marker, removalOf({ versionId: 'v1' })]],
    ['version first', [removalOf({ versionId: 'v1' }), marker]],
  ] as const) {
    test(`has one id after a crash before the mark, ${what}`, async () => {
      const world = await removed()
      world.states.faults.fail('replace', new OutageError('S3', 'a test'))
      await assert.rejects(settle(world, order[0]), OutageError)
      assert.deepEqual(await outcomesOf(world, [order[1], order[0]]), ['deleted', 'ignored already_told'])
      assert.equal(deletionsOf(world).length, 2)
      assert.equal(new Set(deletionsOf(world).map(({ id }) => id)).size, 1)
    })
  }

  test('leaves the verdict on what was uploaded meanwhile as it is', async () => {
    const world = await removed()
    const { eventId } = await settleWith(world, marker, async (call) => {
      if (call === 'states.replace') await upload(world, 'v2')
    })
    assert.deepEqual(
      deletionsOf(world).map(({ id, data }) => [id, data['version_id']]),
      [[eventId, 'v1']],
    )
    assert.deepEqual([verdictOf(world)?.version_id, verdictOf(world)?.deleted], ['v2', undefined])
  })

  test('marks a verdict that another has written again meanwhile', async () => {
    const world = await removed()
    let rewritten = false
    const { eventId } = await settleWith(world, marker, (call) => {
      if (call !== 'states.replace' || rewritten) return
      rewritten = true
      const body = `${world.states.text(`verdicts/${key}`)} `
      world.states.upload({ key: `verdicts/${key}`, bytes: Buffer.from(body), contentType: 'application/json' })
    })
    assert.deepEqual(verdictOf(world)?.deleted, { event_id: eventId, at: eventTime.toISOString() })
  })

  test('leaves the mark of another who was faster, and gives up on a verdict that never rests', async () => {
    const world = await removed()
    await settleWith(world, marker, async (call) => {
      if (call === 'states.replace' && !verdictOf(world)?.deleted) await settle(world, marker)
    })
    const body = world.states.text(`verdicts/${key}`)
    assert.equal(new Set(deletionsOf(world).map(({ id }) => id)).size, 1)

    const restless = await removed()
    let writes = 0
    const settling = settleWith(restless, marker, (call) => {
      const spaced = Buffer.from(body.replace(/,"deleted":[^}]*}/, '') + ' '.repeat(++writes))
      if (call === 'states.replace') restless.states.upload({ key: `verdicts/${key}`, bytes: spaced })
    })
    await assert.rejects(settling, RefusalError)
  })

  test('marks the verdict where the store tells no etags', async () => {
    const world = await removed()
    const { states } = connect(world)
    const readStart: ObjectStore['readStart'] = async (...parameters) => {
      const start = await states.readStart(...parameters)
      return start && { ...start, object: { ...start.object, etag: '' } }
    }
    const deps = { ...connect(world), states: { ...states, readStart } }
    const { eventId } = await settleRecord(deps, marker, signal)
    assert.deepEqual(verdictOf(world)?.deleted, { event_id: eventId, at: eventTime.toISOString() })
  })

  for (const method of ['head', 'readStart'] as const) {
    test(`waits while S3 can't answer its ${method}, and tells nothing`, async () => {
      const world = await removed()
      const store = method === 'head' ? world.images : world.states
      store.faults.fail(method, new OutageError('S3', 'a test'))
      await assert.rejects(settle(world, marker), OutageError)
      assert.deepEqual(deletionsOf(world), [])
    })
  }
})
