import assert from 'node:assert/strict'

import { done } from '#shared/domain/outcomes.ts'

import { patienceMs, startConsumer } from '../../support/event-log-consumer.ts'
import { eventually } from '../../support/eventually.ts'
import { claim, numbered, numbers } from './fixture.ts'
import type { OpenFixture } from './fixture.ts'

export const offsetClaims = (open: OpenFixture) => {
  claim(open, 'a slow early record holds the offset until it is done', async ({ log, reopen, createTopic }) => {
    const topic = await createTopic()
    await log.append(numbered(topic, 10, 10))
    const slow = Promise.withResolvers<undefined>()
    const finished = new Set<string>()
    const first = startConsumer(log, {
      topics: [topic],
      concurrency: 4,
      handle: async ({ value }) => {
        if (value === '3') await slow.promise
        finished.add(value)
        return done
      },
    })
    await eventually(() => finished.size === 9, 'all others being done', patienceMs)
    await first.abandon()

    const second = startConsumer(await reopen(), { topics: [topic], group: first.group })
    await second.saw(7)
    await second.stop()
    // 0 to 2 were before it and may have been committed; nothing from 3 on may have been.
    assert.deepEqual(second.values().slice(-7), numbers(7, 3))
    slow.resolve(undefined)
  })

  claim(open, 'what ends after the deadline moves no offset', async ({ log, createTopic }) => {
    const topic = await createTopic()
    await log.append(numbered(topic, 3))
    const late = Promise.withResolvers<undefined>()
    const signals: AbortSignal[] = []
    const first = startConsumer(log, {
      topics: [topic],
      handle: async (_, { signal }) => {
        signals.push(signal)
        await late.promise
        return done
      },
    })
    await first.saw(1)
    await first.abandon()
    assert.deepEqual(
      signals.map(({ aborted }) => aborted),
      [true],
    )
    late.resolve(undefined)
    await log.ping()
    const second = startConsumer(log, { topics: [topic], group: first.group })
    await second.saw(3)
    await second.stop()
    assert.deepEqual(second.values(), numbers(3))
  })

  claim(open, 'a group that is abandoned again and again skips nothing', async ({ log, reopen, createTopic }) => {
    const topic = await createTopic(3)
    const group = topic
    const finished = new Set<string>()
    await log.append(numbered(topic, 60, 12))
    for (let round = 1; round <= 4; round++) {
      let left = 10
      const consumer = startConsumer(await reopen(), {
        topics: [topic],
        group,
        concurrency: 3,
        handle: async ({ value }) => {
          if (left-- <= 0) await new Promise(() => undefined)
          finished.add(value)
          return done
        },
      })
      await eventually(() => left < 0, 'work in hand that hangs', patienceMs)
      await consumer.abandon()
    }
    const last = startConsumer(log, { topics: [topic], group })
    await eventually(() => new Set([...finished, ...last.values()]).size === 60, 'all being handled', patienceMs)
    await last.stop()
  })
}
