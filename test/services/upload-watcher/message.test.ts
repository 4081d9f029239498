import assert from 'node:assert/strict'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { suite, test } from 'node:test'

import { OutageError, RefusalError, SetupError } from '#shared/ports/failures.ts'
import type { QueueMessage } from '#shared/ports/message-queue.ts'
import { startHeartbeat } from '../../../services/upload-watcher/heartbeat.ts'
import { settleMessage } from '../../../services/upload-watcher/message.ts'
import { eventually } from '../../support/eventually.ts'
import { goodPhoto } from '../../support/images.ts'
import { keyOf, notificationOf, removal, s3Record, testEvent } from './notifications.ts'
import { eventsOf, messageDeps, openWorld, takeMessage, type World } from './world.ts'

const never = new AbortController().signal
const photo = await goodPhoto('image/png')
const keys = [keyOf('scan', 1), keyOf('scan', 2), keyOf('chat', 3)] as const

const openPhotos = () => {
  const world = openWorld()
  for (const key of keys) world.images.upload({ key, bytes: photo, contentType: 'image/png' })
  return world
}
const settle = async (world: World, body: string) => {
  const calls: string[] = []
  const { deps, told, lines } = messageDeps(world, (call, proceed) => {
    calls.push(call)
    return proceed()
  })
  const message = await takeMessage(world, body)
  await settleMessage(deps, message, never)
  return { calls, message, told, lines }
}
const quarantined = (world: World) => world.quarantine.messages.map(({ body, attributes }) => ({ body, attributes }))

// Side by side, since some wait for the pauses between five tries.
suite('a message', { concurrency: true }, () => {
  test('is published, then its verdict is stored, then it is acknowledged', async () => {
    const world = openPhotos()
    const { calls, told } = await settle(world, notificationOf(s3Record(keys[0])))
    assert.deepEqual(calls, ['images.readStart', 'events.append', 'states.create', 'uploads.acknowledge'])
    assert.deepEqual(told.outcomes, ['uploaded'])
    assert.deepEqual(world.uploads.messages, [])
  })

  test('with many records is acknowledged once, after all of them', async () => {
    const world = openPhotos()
    const { calls, told } = await settle(
      world,
      notificationOf(...keys.map((key) => s3Record(key)), s3Record(keys[0], removal)),
    )
    assert.deepEqual(told.outcomes, ['uploaded', 'uploaded', 'uploaded', 'deleted'])
    assert.equal(calls.indexOf('uploads.acknowledge'), calls.length - 1)
  })

  test('with bad records among good ones loses none: the bad are quarantined in one message, with the reasons', async () => {
    const world = openPhotos()
    const future = s3Record(keys[0], { eventVersion: '3.0' })
    const foreign = s3Record(keys[0], { bucket: 'others' })
    const strange = s3Record('elsewhere/ünï', { object: { addedLater: '\u0000 \ufffe \uffff \ud800 ü' } })
    const records = [s3Record(keys[0]), future, foreign, 'text', strange, s3Record(keys[1])]
    // A queue can't hold the two characters as such, only escaped.
    const body = notificationOf(...records)
      .replaceAll('\ufffe', '\\ufffe')
      .replaceAll('\uffff', '\\uffff')
    const { message, told } = await settle(world, body)
    const q = 'quarantined'
    assert.deepEqual(told.outcomes, [
      'uploaded',
      `${q} unreadable`,
      `${q} foreign`,
      `${q} unreadable`,
      `${q} strange_key`,
      'uploaded',
    ])
    const [kept, ...others] = quarantined(world)
    assert.ok(kept)
    assert.deepEqual(others, [])
    assert.deepEqual(JSON.parse(kept.body), { Records: [future, foreign, 'text', strange] })
    const reasons = (kept.attributes['reason'] ?? '').split('; ')
    const expected = [
      /eventVersion: is not 2\.x/,
      /bucket others is not ours/,
      /form/,
      /the key "elsewhere\/\?n\?" is not ours/,
    ]
    for (const [index, reason] of expected.entries()) assert.match(reasons[index] ?? '', reason)
    assert.equal(kept.attributes['source-message-id'], message.id)
    assert.deepEqual(world.uploads.messages, [])
  })

  for (const [what, body] of [
    ['garbage', 'this is \u0009 no JSON ü'],
    // The key that is a number takes JSON.stringify off its way without recursion.
    [
      'a record that is nested too deeply to be written',
      `{"Records":[ {"0":${'['.repeat(100_000)}${']'.repeat(100_000)}} ]}`,
    ],
  ] as const) {
    test(`that is ${what} is quarantined as it came, then acknowledged`, async () => {
      const world = openWorld()
      const { calls } = await settle(world, body)
      assert.deepEqual(calls, ['quarantine.send', 'uploads.acknowledge'])
      assert.ok(world.quarantine.messages[0]?.body === body)
      assert.deepEqual(world.uploads.messages, [])
    })
  }

  test('that is a test of S3 is acknowledged and counted', async () => {
    const world = openWorld()
    const { calls, told } = await settle(world, testEvent)
    assert.deepEqual([calls, told.outcomes], [['uploads.acknowledge'], ['ignored test_event']])
  })

  test('of which a hundred thousand records are bad is quarantined by one send, and told in one line', async () => {
    const world = openPhotos()
    const bad = Array.from({ length: 100_000 }, (_, index) => index)
    const { calls, told, lines } = await settle(world, notificationOf(...bad, s3Record(keys[0])))
    assert.deepEqual(calls.slice(-2), ['quarantine.send', 'uploads.acknowledge'])
    assert.equal(calls.filter((call) => call === 'quarantine.send').length, 1)
    assert.deepEqual([told.outcomes.length, lines.length], [100_001, 2])
    assert.equal(lines[1]?.['records'], 100_000)
    assert.deepEqual(JSON.parse(quarantined(world)[0]?.body ?? ''), { Records: bad })
  })

  test('whose records give too many reasons names some, and how many others there are', async () => {
    const world = openWorld()
    await settle(world, notificationOf(...Array.from({ length: 9 }, (_, index) => s3Record(`elsewhere/${index % 7}`))))
    const reason = quarantined(world)[0]?.attributes['reason'] ?? ''
    assert.match(reason, /^the key "elsewhere\/0" .*"elsewhere\/4".*; and 2 other reasons$/)
  })

  test('that is as long as a message may be is quarantined as it came, without a word', async () => {
    const world = openWorld()
    for (const body of ['x'.repeat(1_048_576), `[${'1,'.repeat(524_000)}1]`, notificationOf('y'.repeat(1_048_550))]) {
      const { told } = await settle(world, body)
      assert.deepEqual(told.outcomes, ['quarantined unreadable'])
      const { body: kept, attributes } = quarantined(world).at(-1) ?? { body: '' }
      assert.ok(kept === body)
      assert.deepEqual(attributes, {})
    }
  })

  test('tells each outcome in one line of the log', async () => {
    const world = openPhotos()
    const { lines, message } = await settle(
      world,
      notificationOf(s3Record(keys[0]), s3Record('x/y'), s3Record(keys[1])),
    )
    assert.deepEqual(
      lines.map(({ level, outcome, key, message_id }) => [level, outcome, key, message_id]),
      [
        ['info', 'uploaded', keys[0], message.id],
        ['info', 'uploaded', keys[1], message.id],
        ['warn', 'quarantined', 'x/y', message.id],
      ],
    )
  })

  for (const [what, break_, kind] of [
    ['S3 is away', (world: World, error: Error) => world.images.faults.fail('readStart', error), OutageError],
    ['the log is away', (world: World, error: Error) => world.events.faults.fail('append', error), OutageError],
    [
      'the state bucket is away',
      (world: World, error: Error) => world.states.faults.fail('create', error),
      OutageError,
    ],
    [
      'the quarantine is away',
      (world: World, error: Error) => world.quarantine.faults.fail('send', error),
      OutageError,
    ],
    ['SQS is away', (world: World, error: Error) => world.uploads.faults.fail('acknowledge', error), OutageError],
    ['the bucket is missing', (world: World, error: Error) => world.images.faults.fail('readStart', error), SetupError],
  ] as const) {
    test(`is not acknowledged when ${what}, at the first failure, and a repeat gives the same ids`, async () => {
      const world = openPhotos()
      const error = kind === OutageError ? new OutageError('S3', 'a test') : new SetupError('a test')
      break_(world, error)
      const body = notificationOf(s3Record(keys[0]), s3Record('x/y'))
      await assert.rejects(settle(world, body), error)
      const [message, ...others] = world.uploads.messages
      assert.ok(message)
      assert.deepEqual(others, [])
      await settleMessage(messageDeps(world).deps, message, never)
      assert.deepEqual(world.uploads.messages, [])
      assert.equal(new Set(eventsOf(world).map(({ id }) => id)).size, 1)
      assert.equal(new Set(quarantined(world).map(({ body: raw }) => raw)).size, 1)
    })
  }

  test('whose record fails five times by itself is quarantined with the reason, and its neighbour is settled', async () => {
    const world = openPhotos()
    world.images.faults.fail('readStart', new RefusalError('S3: reading: AccessDenied'), 5)
    const { told } = await settle(world, notificationOf(s3Record(keys[0]), s3Record(keys[1])))
    assert.deepEqual([told.outcomes, told.retries], [['quarantined failed', 'uploaded'], 4])
    assert.match(quarantined(world)[0]?.attributes['reason'] ?? '', /it failed 5 times.*AccessDenied/)
    assert.equal(world.images.faults.calls.get('readStart'), 6)
  })

  test('whose record fails four times by itself is settled', async () => {
    const world = openPhotos()
    world.events.faults.fail('append', new RefusalError('too large'), 4)
    const { told } = await settle(world, notificationOf(s3Record(keys[0])))
    assert.deepEqual([told.outcomes, told.retries], [['uploaded'], 4])
    assert.deepEqual(quarantined(world), [])
  })

  test('that is abandoned at the deadline moves nothing', async () => {
    const world = openPhotos()
    const deadline = new AbortController()
    const release = world.images.faults.hold('readStart')
    const message = await takeMessage(world, notificationOf(s3Record(keys[0])))
    const settled = settleMessage(messageDeps(world).deps, message, deadline.signal)
    deadline.abort()
    release()
    await assert.rejects(settled)
    assert.deepEqual([world.events.records.length, world.states.objects.size, world.uploads.messages.length], [0, 0, 1])
  })
})

suite('the heartbeat of a message', () => {
  /** A message in hand whose object is held back; `beats` are the ids of the messages that were extended. */
  const hold = async (world: World, beats: string[]) => {
    const { deps, lines } = messageDeps(world)
    const { uploads } = deps
    const extend = (message: QueueMessage, seconds: number) => {
      beats.push(message.id)
      return uploads.extend(message, seconds)
    }
    const release = world.images.faults.hold('readStart')
    const message = await takeMessage(world, notificationOf(s3Record(keys[0])))
    const fast = { ...deps, uploads: { ...uploads, extend }, visibilitySeconds: 0.03 }
    return { message, settled: settleMessage(fast, message, never), release, lines }
  }
  const count = (beats: readonly string[], id: string) => beats.filter((beat) => beat === id).length

  test('keeps it hidden while it is in hand, and ends with it', async () => {
    const world = openPhotos()
    const beats: string[] = []
    const first = await hold(world, beats)
    await eventually(() => count(beats, first.message.id) >= 3, 'three beats')
    first.release()
    await first.settled
    const last = count(beats, first.message.id)
    const second = await hold(world, beats)
    await eventually(() => count(beats, second.message.id) >= 3, 'three beats of another')
    assert.equal(count(beats, first.message.id), last)
    second.release()
    await second.settled
  })

  test('that fails is told, and harms nothing', async () => {
    const world = openPhotos()
    world.uploads.faults.fail('extend', new OutageError('SQS', 'a test'))
    const beats: string[] = []
    const { settled, release, lines } = await hold(world, beats)
    await eventually(() => beats.length >= 2, 'a beat after the one that fails')
    release()
    await settled
    assert.equal(lines.filter(({ msg }) => msg === 'could not keep a message hidden').length, 1)
  })

  test('has landed before a failed message can be given back', async () => {
    const world = openPhotos()
    const beats: string[] = []
    const land = world.uploads.faults.hold('extend')
    const { settled, release } = await hold(world, beats)
    let ended = false
    const end = settled.catch(() => (ended = true))
    await eventually(() => beats.length > 0, 'a beat')
    world.images.faults.fail('readStart', new OutageError('S3', 'a test'), Infinity)
    world.events.faults.fail('append', new OutageError('the event log', 'a test'), Infinity)
    release()
    await eventually(() => world.images.faults.calls.get('readStart') === 1, 'the read')
    for (let turn = 0; turn < 20; turn++) await nextTurn()
    assert.equal(ended, false)
    land()
    await end
    assert.equal(ended, true)
  })

  test('comes three times before the message would show again', async (context) => {
    context.mock.timers.enable({ apis: ['setInterval'] })
    const { deps } = messageDeps(openPhotos())
    const beats: number[] = []
    const extend = (_: QueueMessage, seconds: number) => Promise.resolve(void beats.push(seconds))
    const message = await takeMessage(openPhotos(), 'any')
    const stop = startHeartbeat({ ...deps, uploads: { extend }, visibilitySeconds: 30 }, message)
    context.mock.timers.tick(9_999)
    assert.deepEqual(beats, [])
    context.mock.timers.tick(20_001)
    assert.deepEqual(beats, [30, 30, 30])
    await stop()
  })

  test('waits at its end for every beat under way, not for the last alone', async () => {
    const { deps } = messageDeps(openPhotos())
    const landings: (() => void)[] = []
    const extend = () => new Promise<void>((land) => landings.push(land))
    const message = await takeMessage(openPhotos(), 'any')
    const stop = startHeartbeat({ ...deps, uploads: { extend }, visibilitySeconds: 0.03 }, message)
    await eventually(() => landings.length >= 2, 'a beat while another is under way')
    let ended = false
    const end = stop().then(() => (ended = true))
    const [first, ...later] = landings
    for (const land of later) land()
    for (let turn = 0; turn < 20; turn++) await nextTurn()
    assert.equal(ended, false)
    first?.()
    await end
  })
})
