import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'

import { RefusalError, SetupError } from '#shared/ports/failures.ts'
import type { MessageQueue, ReceiveOptions } from '#shared/ports/message-queue.ts'
import { aborted } from '#shared/runtime/lifetime.ts'
import { eventually } from '../../support/eventually.ts'
import { keyOf } from './notifications.ts'
import { callsOf, emptied, messageOf, photo, published, upload, watch } from './watching.ts'
import { eventsOf, openWorld } from './world.ts'

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
    assert.ok(
      lines.some(({ msg, message_id: id }) => msg === 'unexpected failure' && id === world.uploads.messages[0]?.id),
    )
    world.uploads.pass(11)
    await emptied(world)
    assert.equal(new Set(eventsOf(world).map(({ id }) => id)).size, 1)
    assert.equal(told.received, 2)
  })
})
