import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'

import { OutageError, RefusalError, SetupError, type Dependency } from '#shared/ports/failures.ts'
import type { MessageQueue, QueueMessage, ReceiveOptions } from '#shared/ports/message-queue.ts'
import { aborted } from '#shared/runtime/lifetime.ts'
import { eventually } from '../../support/eventually.ts'
import type { Faults } from '../../support/fakes/faults.ts'
import { goodPhoto } from '../../support/images.ts'
import { keyOf, notificationOf, s3Record } from './notifications.ts'
import { watch } from './watching.ts'
import { eventsOf, openWorld, type World } from './world.ts'

const photo = await goodPhoto('image/png')

/** So many uploads with a message each; a record of a strange key in each, when `strange`. */
const upload = async (world: World, count: number, { from = 0, strange = false } = {}) => {
  for (let index = from; index < from + count; index++) {
    const key = keyOf('scan', index)
    world.images.upload({ key, bytes: photo, contentType: 'image/png' })
    const records = strange ? [s3Record(key), s3Record('elsewhere')] : [s3Record(key)]
    await world.uploads.queue.send({ body: notificationOf(...records) })
  }
}
const emptied = (world: World) => eventually(() => world.uploads.messages.length === 0, 'the queue to be empty')
const published = (world: World) => new Set(eventsOf(world).map(({ key }) => key))
const messageOf = (index: number, key: string): QueueMessage => ({
  id: String(index),
  receipt: String(index),
  body: notificationOf(s3Record(key)),
  attributes: {},
  receiveCount: 1,
  sentAt: new Date(),
})
const callsOf = ({ faults }: { faults: Faults }, call: string) => faults.calls.get(call) ?? 0

/** What breaks the watcher as a whole lets each test wait for its fact in vain, or for an end that never comes. */
const options = { concurrency: true, timeout: 60_000 }

suite('the watcher', options, () => {
  test('takes every message to its end, and its counts add up', async (context) => {
    const world = openWorld()
    await upload(world, 35)
    const { told, stop, ended } = watch(context, world)
    await upload(world, 35, { from: 35 })
    await emptied(world)
    stop()
    await ended
    assert.equal(published(world).size, 70)
    assert.deepEqual([told.received, told.released, told.outcomes.length], [70, 0, 70])
  })

  test('one slow object holds up no other', async (context) => {
    const world = openWorld()
    await upload(world, 30)
    const release = world.images.faults.hold('readStart')
    watch(context, world)
    await eventually(() => published(world).size === 29, 'all but one')
    release()
    await emptied(world)
  })

  test('settles what a poll was handing out when it was told to stop, and ends a poll that waits', async (context) => {
    const world = openWorld()
    const key = keyOf('scan', 1)
    world.images.upload({ key, bytes: photo, contentType: 'image/png' })
    const asked = Promise.withResolvers<AbortSignal>()
    const answer = Promise.withResolvers<undefined>()
    const receive = async ({ signal }: ReceiveOptions) => {
      asked.resolve(signal)
      await answer.promise
      return signal.aborted ? [] : [messageOf(1, key)]
    }
    const { told, stop, ended } = watch(context, world, {
      receivers: 1,
      queue: { receive, acknowledge: () => Promise.resolve() },
    })
    const signal = await asked.promise
    stop()
    assert.equal(signal.aborted, false)
    answer.resolve(undefined)
    await ended
    assert.deepEqual([told.received, told.acknowledged], [1, 1])

    const begun = Promise.withResolvers<undefined>()
    const other = watch(context, openWorld(), {
      receivers: 1,
      queue: {
        receive: async ({ signal }) => {
          begun.resolve(undefined)
          await aborted(signal)
          return []
        },
      },
    })
    await begun.promise
    other.stop()
    await other.ended
  })

  test('has no more in hand than it may', async (context) => {
    const world = openWorld()
    await upload(world, 50)
    const releases = Array.from({ length: 5 }, () => world.images.faults.hold('readStart'))
    let inHand = 0
    let most = 0
    const around = async (call: string, proceed: () => Promise<unknown>) => {
      if (call === 'images.readStart') most = Math.max(most, ++inHand)
      const result = await proceed()
      if (call === 'uploads.acknowledge') inHand--
      return result
    }
    watch(context, world, { around, maxInHand: 20 })
    for (const release of releases) release()
    await emptied(world)
    assert.ok(most <= 20, `${most} at once`)
  })

  test('takes no more than it may hold of a million that wait', async (context) => {
    const world = openWorld()
    const key = keyOf('scan', 1)
    world.images.upload({ key, bytes: photo, contentType: 'image/png' })
    let [taken, most] = [0, 0]
    const receive = async ({ max }: ReceiveOptions) => {
      await nextTurn()
      const from = taken
      taken = Math.min(1_000_000, from + max)
      return Array.from({ length: taken - from }, (_, index) => messageOf(from + index, key))
    }
    const gone = Promise.withResolvers<undefined>()
    const { told, stop, ended } = watch(context, world, {
      queue: { receive, acknowledge: () => Promise.resolve() },
      around: async (call, proceed) => {
        most = Math.max(most, told.received - told.acknowledged)
        if (call === 'images.readStart') await gone.promise
        return proceed()
      },
    })
    await eventually(() => told.received === 100, 'all places to be taken')
    for (let turn = 0; turn < 50; turn++) await nextTurn()
    assert.deepEqual([taken, told.received], [100, 100])
    gone.resolve(undefined)
    await eventually(() => told.acknowledged >= 5_000, 'some thousand to be settled')
    stop()
    await ended
    assert.deepEqual([most, told.received - told.acknowledged], [100, 0])
  })

  test('asks a queue that is empty and says so at once no more than it must', async (context) => {
    const world = openWorld()
    let calls = 0
    const receive = async () => {
      calls++
      await nextTurn()
      return []
    }
    const startedAt = performance.now()
    watch(context, world, { queue: { receive } })
    await eventually(() => calls >= 4, 'the second round')
    // Two receivers, a second each: however slow the machine is, there are not more.
    const rounds = 1 + Math.floor((performance.now() - startedAt) / 990)
    assert.ok(calls <= 2 * rounds, `${calls} calls in ${rounds} rounds`)
  })

  test('stop takes nothing new and finishes what is in hand', async (context) => {
    const world = openWorld()
    await upload(world, 3)
    const release = world.events.faults.hold('append')
    const { stop, ended } = watch(context, world)
    await eventually(() => world.uploads.messages.length === 1, 'one in hand')
    stop()
    const polls = callsOf(world.uploads, 'receive')
    release()
    await ended
    assert.equal(callsOf(world.uploads, 'receive'), polls)
    assert.deepEqual([published(world).size, world.uploads.messages.length], [3, 0])
  })

  test('the deadline abandons what is in hand, which moves nothing more', async (context) => {
    const world = openWorld()
    await upload(world, 1)
    const release = world.images.faults.hold('readStart')
    const { stop, deadline, ended, told } = watch(context, world)
    await eventually(() => callsOf(world.images, 'readStart') === 1, 'the read')
    stop()
    deadline()
    await ended
    release()
    await eventually(() => told.released === 1, 'the message to be given back')
    assert.deepEqual([published(world).size, world.states.objects.size, world.uploads.messages.length], [0, 0, 1])
    assert.equal(callsOf(world.uploads, 'extend'), 1)
  })

  test('the deadline ends it while a publish hangs that heeds no signal', async (context) => {
    const world = openWorld()
    await upload(world, 1)
    const release = world.events.faults.hold('append')
    const { stop, deadline, ended, told } = watch(context, world)
    await eventually(() => callsOf(world.events, 'append') === 1, 'the publish')
    stop()
    deadline()
    await ended
    release()
    assert.equal(told.received, 1)
  })

  test('ends with the reason when the set-up is wrong, and gives its messages back', async (context) => {
    const world = openWorld()
    await upload(world, 1)
    world.states.faults.fail('create', new SetupError('there is no such bucket'))
    const { ended } = watch(context, world)
    await assert.rejects(ended, SetupError)
    assert.deepEqual([world.uploads.messages.length, callsOf(world.uploads, 'extend')], [1, 1])
  })

  test('ends when its queue does not exist', async (context) => {
    const world = openWorld()
    world.uploads.faults.fail('receive', new SetupError('there is no such queue'))
    await assert.rejects(watch(context, world).ended, /no such queue/)
  })

  test('a message that fails at its last step comes again later under the same ids', async (context) => {
    const world = openWorld()
    await upload(world, 1)
    world.uploads.faults.fail('acknowledge', new RefusalError('the receipt has expired'))
    const hidden: number[] = []
    const extend: MessageQueue['extend'] = (message, seconds) => {
      hidden.push(seconds)
      return world.uploads.queue.extend(message, seconds)
    }
    const { told, lines } = watch(context, world, { queue: { extend } })
    await eventually(() => told.released === 1, 'the message to be given back')
    assert.deepEqual(hidden, [10])
    assert.ok(lines.some(({ msg }) => msg === 'unexpected failure'))
    world.uploads.pass(11)
    await emptied(world)
    assert.equal(new Set(eventsOf(world).map(({ id }) => id)).size, 1)
    assert.equal(told.received, 2)
  })
})

suite('during an outage the watcher', options, () => {
  const outages: Record<string, { faults: (world: World) => Faults; call: string; service: Dependency }> = {
    'of the images': { faults: ({ images }) => images.faults, call: 'readStart', service: 'S3' },
    'of the state bucket': { faults: ({ states }) => states.faults, call: 'create', service: 'S3' },
    'of the event log': { faults: ({ events }) => events.faults, call: 'append', service: 'the event log' },
    'of the quarantine': { faults: ({ quarantine }) => quarantine.faults, call: 'send', service: 'SQS' },
  }
  for (const [what, { faults: faultsOf, call, service }] of Object.entries(outages)) {
    for (const limits of [{}, { receivers: 1, maxInHand: 10 }]) {
      test(`${what} receives nothing, gives each message back once and resumes by itself ${JSON.stringify(limits)}`, async (context) => {
        const world = openWorld()
        const faults = faultsOf(world)
        await upload(world, 25, { strange: true })
        const away = new OutageError(service, 'a test')
        faults.fail(call, away, Infinity)
        faults.fail('ping', away, Infinity)
        const { told } = watch(context, world, limits)
        await eventually(() => told.released > 0 && told.released === told.received, 'what is in hand to be given back')
        const before = { receives: callsOf(world.uploads, 'receive'), probes: faults.calls.get('ping') ?? 0 }
        await upload(world, 5, { from: 25, strange: true })
        await eventually(() => (faults.calls.get('ping') ?? 0) > before.probes + 5, 'some probes')
        assert.deepEqual([callsOf(world.uploads, 'receive'), told.released], [before.receives, told.received])
        assert.deepEqual(told.gate, [false])
        const counts = world.uploads.messages.map(({ receiveCount }) => receiveCount)
        assert.ok(Math.max(...counts) === 1, `received ${counts.join(', ')} times`)
        faults.heal()
        await emptied(world)
        assert.deepEqual(told.gate, [false, true])
        assert.equal(published(world).size, 30)
        assert.equal(told.received, 30 + told.released)
      })
    }
  }

  test('of the queue asks the queue no more, but whether it is back', async (context) => {
    const world = openWorld()
    const away = new OutageError('SQS', 'a test')
    for (const call of ['receive', 'ping']) world.uploads.faults.fail(call, away, Infinity)
    await upload(world, 3)
    const { told } = watch(context, world)
    await eventually(() => callsOf(world.uploads, 'ping') > 10, 'some probes')
    assert.ok(callsOf(world.uploads, 'receive') <= 2)
    world.uploads.faults.heal()
    await emptied(world)
    assert.deepEqual(told.gate, [false, true])
  })

  test('that its probes do not see takes few messages each time, and all of them when it is over', async (context) => {
    const world = openWorld()
    await upload(world, 60)
    const { told } = watch(context, world)
    world.images.faults.fail('readStart', new OutageError('S3', 'a test'), Infinity)
    await eventually(() => told.gate.length >= 20, 'the gate to open ten times')
    const counts = world.uploads.messages.map(({ receiveCount }) => receiveCount)
    const total = counts.reduce((sum, count) => sum + count, 0)
    // At first two batches may be under way, later one message for each of the two receivers.
    assert.ok(total <= 20 + 2 * told.gate.length, `${total} receipts in ${told.gate.length / 2} outages`)
    world.images.faults.heal()
    await emptied(world)
    assert.equal(published(world).size, 60)
  })

  test('can be stopped', async (context) => {
    const world = openWorld()
    const away = new OutageError('S3', 'a test')
    for (const call of ['readStart', 'ping']) world.images.faults.fail(call, away, Infinity)
    await upload(world, 3)
    const { told, stop, ended } = watch(context, world)
    await eventually(() => told.released === 3, 'the messages to be given back')
    stop()
    await ended
    assert.equal(world.uploads.messages.length, 3)
  })

  test('a 403 on one object is no outage', async (context) => {
    const world = openWorld()
    await upload(world, 5)
    world.images.faults.fail('readStart', new RefusalError('AccessDenied'))
    const { told } = watch(context, world)
    await emptied(world)
    assert.deepEqual([told.gate, told.released, published(world).size], [[], 0, 5])
  })
})
