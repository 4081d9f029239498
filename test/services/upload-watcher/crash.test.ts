import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { eventually } from '../../support/eventually.ts'
import type { Around } from '../../support/fakes/intercept.ts'
import { absurdDimensions, goodPhoto, jpegSegment, pdfBytes } from '../../support/images.ts'
import { keyOf, notificationOf, removal, s3Record } from './notifications.ts'
import { startWatching } from './watching.ts'
import { eventsOf, openWorld, type World } from './world.ts'

/** `before` and `after`: the process dies before or after the call has its effect. `hang`: the call never ends. */
type End = 'before' | 'after' | 'hang'

/** Leads the calls of one process, until call number `at` ends it as told. Nothing comes back from a dead process's calls. */
const openProcess = (at: number, end: End) => {
  const grave = Promise.withResolvers<never>()
  grave.promise.catch(() => undefined)
  let calls = 0
  let ended: string | undefined
  const around: Around = async (call, proceed) => {
    const dead = () => ended !== undefined && end !== 'hang'
    if (dead()) return grave.promise
    const fatal = ++calls === at
    // A receive that hangs is ended by its signal, which the contract tests hold.
    if (fatal && !(end === 'hang' && call === 'uploads.receive')) {
      if (end === 'after') await proceed()
      ended = call
      return grave.promise
    }
    const result = await proceed()
    return dead() ? grave.promise : result
  }
  /** What waits for an answer gets an error, so that the test leaves nothing running. */
  const bury = () => grave.reject(new Error('buried'))
  return { around, bury, ended: () => ended }
}

const uploadedAt = new Date('2025-01-01T12:00:00Z')
const photo = await goodPhoto('image/jpeg')
const longHeader = Buffer.concat([
  Buffer.from([0xff, 0xd8]),
  jpegSegment(0xef, Buffer.alloc(65_533)),
  absurdDimensions('image/jpeg', 640, 480).subarray(2),
])

/** A world with every kind of outcome before it. */
const openFullWorld = async (): Promise<World> => {
  const world = openWorld()
  const [scan, liar, long] = [keyOf('scan', 1), keyOf('profile', 2), keyOf('chat', 3)]
  for (const [key, bytes] of [[scan, photo] as const, [liar, pdfBytes(1)] as const, [long, longHeader] as const]) {
    world.images.upload({ key, bytes, contentType: 'image/jpeg', lastModified: uploadedAt })
  }
  const bodies = [
    notificationOf(s3Record(scan), s3Record('elsewhere'), s3Record(keyOf('chat', 4), removal)),
    'no JSON',
    notificationOf(s3Record(liar), s3Record(long)),
  ]
  for (const body of bodies) await world.uploads.queue.send({ body })
  return world
}

const left = (world: World) => ({
  ids: [...new Set(eventsOf(world).map(({ id }) => id))].sort(),
  verdicts: [...world.states.objects.values()].map(({ bytes }) => Buffer.from(bytes).toString()).sort(),
  quarantined: [...new Set(world.quarantine.messages.map(({ body }) => body))].sort(),
})

const finish = async (world: World) => {
  world.uploads.pass(31)
  const { stop, ended } = startWatching(world)
  await eventually(() => world.uploads.messages.length === 0, 'the queue to be empty')
  stop()
  await ended
}

/** Runs until the call, and tells which it was; undefined when there are fewer calls. */
const runUntil = async (world: World, at: number, end: End) => {
  const process = openProcess(at, end)
  const { stop, deadline, ended } = startWatching(world, { around: process.around })
  await eventually(() => process.ended() ?? world.uploads.messages.length === 0, 'the end of the process')
  const call = process.ended()
  stop()
  deadline()
  if (end === 'hang') await ended
  process.bury()
  await ended
  return call
}

suite('a watcher that ends at any call', () => {
  for (const end of ['before', 'after', 'hang'] as const) {
    test(`(${end}) and starts again loses nothing and makes no new id`, async () => {
      const clean = await openFullWorld()
      await finish(clean)
      const expected = left(clean)
      assert.deepEqual([expected.ids.length, expected.verdicts.length, expected.quarantined.length], [4, 3, 2])
      const seen = new Set<string>()
      for (let at = 1, skipped = 0; skipped < 5; at++) {
        const world = await openFullWorld()
        const call = await runUntil(world, at, end)
        if (call === undefined) skipped++
        else seen.add(call)
        await finish(world)
        assert.deepEqual(left(world), expected, `ended at call ${at}, ${call ?? 'none'}`)
        assert.ok(at < 100)
      }
      const reached = ['images.readStart', 'events.append', 'states.put', 'quarantine.send', 'uploads.acknowledge']
      assert.deepEqual(
        reached.filter((call) => !seen.has(call)),
        [],
      )
    })
  }
})
