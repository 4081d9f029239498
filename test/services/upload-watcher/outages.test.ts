import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'

import { OutageError, RefusalError, type Dependency } from '#shared/ports/failures.ts'
import type { MessageQueue, ReceiveOptions } from '#shared/ports/message-queue.ts'
import { aborted } from '#shared/runtime/lifetime.ts'
import { eventually } from '../../support/eventually.ts'
import type { Faults } from '../../support/fakes/faults.ts'
import { keyOf } from './notifications.ts'
import { callsOf, emptied, messageOf, published, upload, watch } from './watching.ts'
import { openWorld, type World } from './world.ts'

/** What breaks the watcher as a whole lets each test wait for its fact in vain, or for an end that never comes. */
const options = { concurrency: true, timeout: 60_000 }

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

  test('gives back what a poll is handing out just then, and nothing while that poll could take it again', async (context) => {
    const world = openWorld()
    const away = new OutageError('S3', 'a test')
    for (const call of ['readStart', 'ping']) world.images.faults.fail(call, away, Infinity)
    const asked = Promise.withResolvers<AbortSignal>()
    const answer = Promise.withResolvers<undefined>()
    let receives = 0
    const receive = async ({ signal }: ReceiveOptions) => {
      const index = receives++
      if (index === 1) asked.resolve(signal)
      await [asked.promise, answer.promise][index]
      if (index > 1) await aborted(signal)
      return signal.aborted ? [] : [messageOf(index, keyOf('scan', index))]
    }
    const hidden: [id: string, seconds: number][] = []
    const extend: MessageQueue['extend'] = ({ id }, seconds) => {
      hidden.push([id, seconds])
      return Promise.resolve()
    }
    const { told } = watch(context, world, { queue: { receive, extend } })
    const signal = await asked.promise
    await eventually(() => told.gate.length === 1, 'the outage to be seen')
    for (let turn = 0; turn < 50; turn++) await nextTurn()
    assert.deepEqual([signal.aborted, hidden], [false, []])
    answer.resolve(undefined)
    await eventually(() => told.released === 2, 'both to be given back')
    assert.deepEqual(hidden.toSorted(), [
      ['0', 0],
      ['1', 0],
    ])
  })

  test('of the queue gives back what is in hand as soon as the queue is back', async (context) => {
    const world = openWorld()
    await upload(world, 5)
    const away = new OutageError('SQS', 'a test')
    for (const call of ['acknowledge', 'extend', 'ping']) world.uploads.faults.fail(call, away, Infinity)
    const { told, lines } = watch(context, world)
    await eventually(() => (world.uploads.faults.calls.get('extend') ?? 0) >= 5, 'five vain tries')
    assert.deepEqual([told.received, told.released], [5, 0])
    world.uploads.faults.heal()
    // On the queue's clock none of them has come back by itself.
    await emptied(world)
    assert.deepEqual([told.received, told.released, published(world).size], [10, 5, 5])
    assert.ok(!lines.some(({ msg }) => String(msg).startsWith('could not give a message back')))
  })

  test('of the queue lets what is in hand return by itself when it is stopped meanwhile', async (context) => {
    const world = openWorld()
    await upload(world, 1)
    const away = new OutageError('SQS', 'a test')
    for (const call of ['acknowledge', 'extend', 'ping']) world.uploads.faults.fail(call, away, Infinity)
    const { told, stop, ended } = watch(context, world)
    await eventually(() => callsOf(world.uploads, 'extend') === 1, 'the vain try')
    stop()
    await ended
    assert.deepEqual([told.released, callsOf(world.uploads, 'extend'), world.uploads.messages.length], [1, 1, 1])
  })

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
