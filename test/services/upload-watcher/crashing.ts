import { objectEventId, removalEventId } from '#shared/domain/ids.ts'
import { parseKey } from '#shared/domain/keys.ts'
import { OutageError } from '#shared/ports/failures.ts'
import type { Around } from '../../support/fakes/intercept.ts'
import { eventually } from '../../support/eventually.ts'
import { absurdDimensions, goodPhoto, jpegSegment, pdfBytes } from '../../support/images.ts'
import { bucket, keyOf, notificationOf, removal, s3Record, testEvent } from './notifications.ts'
import { startWatching } from './watching.ts'
import { eventsOf, openWorld, type World } from './world.ts'

/**
 * How a run ends at a call. `before` and `after`: the process dies before or after the call has its effect. `hang`: the call
 * never ends, and the deadline comes. `stop`: the process is told to stop, and the call goes on.
 */
export type End = 'before' | 'after' | 'hang' | 'stop'

/** Leads the calls of one process, until call number `at` ends it as told. Nothing comes back from a dead process's calls. */
const openProcess = (at: number, end: End) => {
  const grave = Promise.withResolvers<never>()
  grave.promise.catch(() => undefined)
  let calls = 0
  let ended: string | undefined
  const around: Around = async (call, proceed) => {
    const dead = () => ended !== undefined && end !== 'hang' && end !== 'stop'
    if (dead()) return grave.promise
    const isLast = ++calls === at
    if (isLast) ended = call
    // A receive that hangs is ended by its signal, which the contract tests hold.
    if (!isLast || end === 'stop' || (end === 'hang' && call === 'uploads.receive')) {
      const result = await proceed()
      return dead() ? grave.promise : result
    }
    if (end === 'after') await proceed()
    return grave.promise
  }
  /** What waits for an answer gets an error, so that the test leaves nothing running. */
  const bury = () => grave.reject(new Error('buried'))
  return { around, bury, ended: () => ended, buried: grave.promise }
}

const uploadedAt = new Date('2025-01-01T12:00:00Z')
const photo = await goodPhoto('image/jpeg')
const longHeader = Buffer.concat([
  Buffer.from([0xff, 0xd8]),
  jpegSegment(0xef, Buffer.alloc(65_533)),
  absurdDimensions('image/jpeg', 640, 480).subarray(2),
])

const uploads = {
  scan: { key: keyOf('scan', 1), bytes: photo },
  liar: { key: keyOf('profile', 2), bytes: pdfBytes(1) },
  long: { key: keyOf('chat', 3), bytes: longHeader },
  marked: { key: keyOf('scan', 5), bytes: photo, versionId: 'v1' },
}
const deleted = keyOf('chat', 4)

const put = (world: World, upload: { key: string; bytes: Uint8Array; versionId?: string }) =>
  world.images.upload({ ...upload, contentType: 'image/jpeg', lastModified: uploadedAt })

const finish = async (world: World) => {
  world.uploads.pass(31)
  const { stop, ended } = startWatching(world, { rejectedAction: 'delete' })
  await eventually(() => world.uploads.messages.length === 0, 'the queue to be empty')
  stop()
  await ended
}

/**
 * A world that leads to every outcome: uploads, a rejected object to be deleted, an object that went by a delete marker,
 * and what can't be read. S3 is away for a moment, so messages go back to the queue.
 */
const openFullWorld = async (): Promise<World> => {
  const world = openWorld()
  put(world, uploads.marked)
  await world.uploads.queue.send({ body: notificationOf(s3Record(uploads.marked.key)) })
  await finish(world)
  await world.images.store.remove(uploads.marked.key)
  for (const upload of [uploads.scan, uploads.liar, uploads.long]) put(world, upload)
  const marker = { eventName: 'ObjectRemoved:DeleteMarkerCreated', object: { versionId: 'm1' } }
  const bodies = [
    notificationOf(s3Record(uploads.scan.key), s3Record('elsewhere'), s3Record(deleted, removal)),
    'no JSON',
    testEvent,
    notificationOf(s3Record(uploads.liar.key), s3Record(uploads.long.key)),
    notificationOf(s3Record(uploads.marked.key, marker)),
  ]
  for (const body of bodies) await world.uploads.queue.send({ body })
  world.images.faults.fail('readStart', new OutageError('S3', 'a test'))
  return world
}

/** The ids that the objects and removals of a full world have, each by the rule for it. */
export const expectedIds = (): string[] => {
  const ours = (key: string) => {
    const parsed = parseKey(key)
    if (!parsed.ok) throw new Error(parsed.problem)
    return { bucket, key: parsed.facts.key }
  }
  const state = ({ key, bytes, ...version }: (typeof uploads)['scan'] & { versionId?: string }) => {
    const { etag } = openWorld().images.upload({ key, bytes })
    return { ...ours(key), ...version, etag, lastModified: uploadedAt }
  }
  const sequencer = '0055AED6DCD90281E5'
  const eventTime = new Date('2025-01-01T12:00:00Z')
  const { scan, liar, long, marked } = uploads
  return [
    ...[scan, long, marked].map((upload) => objectEventId('image.uploaded', state(upload))),
    objectEventId('image.rejected', state(liar)),
    removalEventId('image.deleted', { ...ours(deleted), sequencer, eventTime }),
    removalEventId('image.deleted', { ...ours(marked.key), versionId: 'v1', sequencer, eventTime }),
  ].sort()
}

/** All that a run leaves behind, repeats apart. */
export const left = (world: World) => ({
  ids: [...new Set(eventsOf(world).map(({ id }) => id))].sort(),
  verdicts: [...world.states.objects.values()].map(({ bytes }) => Buffer.from(bytes).toString()).sort(),
  objects: [...world.images.objects.keys()].sort(),
  quarantined: [...new Set(world.quarantine.messages.map(({ body }) => body))].sort(),
  waiting: world.uploads.messages.length,
})

/** A run of a world without an end before its work is done. */
export const runClean = async (): Promise<World> => {
  const world = await openFullWorld()
  await finish(world)
  return world
}

/** Reads are so slow that each message needs a heartbeat. */
const slow = { visibilitySeconds: 0.06 }

/** Lets reads wait until a heartbeat was called for. */
const slowReads = (around: Around, buried: Promise<never>): Around => {
  const beat = Promise.withResolvers<undefined>()
  return (call, proceed) => {
    if (call === 'uploads.extend') beat.resolve(undefined)
    if (call !== 'images.readStart') return around(call, proceed)
    return around(call, async () => {
      await Promise.race([beat.promise, buried])
      return proceed()
    })
  }
}

/** Runs a new world until that call, and tells which it was; undefined when there are fewer calls. Then another finishes. */
export const runUntil = async (at: number, end: End, { isSlow = false } = {}) => {
  const world = await openFullWorld()
  const { around, bury, ended: endedAt, buried } = openProcess(at, end)
  const watching = startWatching(world, {
    rejectedAction: 'delete',
    around: isSlow ? slowReads(around, buried) : around,
    ...(isSlow && slow),
  })
  await eventually(() => endedAt() ?? world.uploads.messages.length === 0, 'the end of the process')
  const call = endedAt()
  watching.stop()
  if (end !== 'stop') watching.deadline()
  if (end === 'hang' || end === 'stop') await watching.ended
  const { received, released, acknowledged } = watching.told
  bury()
  await watching.ended
  await finish(world)
  return { call, world, inHand: received - released - acknowledged }
}
