import assert from 'node:assert/strict'

import { done } from '#shared/domain/outcomes.ts'

import { firstSights, patienceMs, startConsumer, valuesByKey } from '../../support/event-log-consumer.ts'
import type { TestConsumer } from '../../support/event-log-consumer.ts'
import { eventually } from '../../support/eventually.ts'
import { claim, numbered, numbers } from './fixture.ts'
import type { OpenFixture } from './fixture.ts'

/** The values of one of `keys` keys of a numbered topic. */
const valuesOf = (count: number, keys: number, key: number) =>
  numbers(count).filter((value) => Number(value) % keys === key)

export const consumeClaims = (open: OpenFixture) => {
  claim(open, 'a group starts at the beginning and sees all, each key in order', async ({ log, createTopic }) => {
    const topic = await createTopic(4)
    await log.append(numbered(topic, 500, 10))
    const consumer = startConsumer(log, { topics: [topic], concurrency: 8 })
    await consumer.saw(500)
    await consumer.stop()
    const byKey = valuesByKey(firstSights(consumer.seen))
    for (const key of numbers(10)) assert.deepEqual(byKey[`key-${key}`], valuesOf(500, 10, Number(key)))
  })

  claim(
    open,
    'a consumer that starts first sees what comes later, also from elsewhere',
    async ({ log, reopen, createTopic }) => {
      const topic = await createTopic(3)
      const consumer = startConsumer(log, { topics: [topic] })
      await log.append(numbered(topic, 10, 5))
      await consumer.saw(10)
      await (await reopen()).append(numbered(topic, 10, 5, 10))
      await consumer.saw(20)
      await consumer.stop()
    },
  )

  claim(open, 'one consumer serves many topics', async ({ log, createTopic }) => {
    const topics = [await createTopic(), await createTopic(2)]
    await log.append(topics.map((topic) => ({ topic, key: 'a', value: topic })))
    const consumer = startConsumer(log, { topics })
    await consumer.saw(2)
    await consumer.stop()
    assert.deepEqual(new Set(consumer.seen.map(({ topic }) => topic)), new Set(topics))
  })

  claim(open, 'groups know nothing of each other', async ({ log, createTopic }) => {
    const topic = await createTopic(2)
    await log.append(numbered(topic, 50, 5))
    const early = startConsumer(log, { topics: [topic] })
    await early.saw(50)
    const late = startConsumer(log, { topics: [topic] })
    await late.saw(50)
    await Promise.all([early.stop(), late.stop()])
  })

  claim(open, 'after a stop the group goes on with the next record', async ({ log, reopen, createTopic }) => {
    const topic = await createTopic(2)
    await log.append(numbered(topic, 40, 5))
    const first = startConsumer(log, { topics: [topic] })
    await first.saw(40)
    await first.stop()
    await log.append(numbered(topic, 10, 5, 40))
    const second = startConsumer(await reopen(), { topics: [topic], group: first.group })
    await second.saw(10)
    await second.stop()
    assert.deepEqual(new Set(second.values()), new Set(numbers(10, 40)))
  })

  claim(open, 'a stop takes nothing new and waits for what is in hand', async ({ log, createTopic }) => {
    const topic = await createTopic()
    await log.append(numbered(topic, 5))
    const inHand = Promise.withResolvers<undefined>()
    const consumer = startConsumer(log, { topics: [topic], handle: () => inHand.promise.then(() => done) })
    await consumer.saw(1)
    let isOver = false
    const stopped = consumer.stop().then(() => (isOver = true))
    await log.ping()
    assert.equal(isOver, false)
    inHand.resolve(undefined)
    await stopped
    assert.deepEqual(consumer.values(), ['0'])
    const next = startConsumer(log, { topics: [topic], group: consumer.group })
    await next.saw(4)
    await next.stop()
    assert.deepEqual(next.values(), numbers(4, 1))
  })

  claim(open, 'a consumer without records stops when told to', async ({ log, createTopic }) => {
    await startConsumer(log, { topics: [await createTopic()] }).stop()
  })

  claim(
    open,
    'as many records as allowed are handled at once, also within a partition',
    async ({ log, createTopic }) => {
      const topic = await createTopic()
      await log.append(numbered(topic, 20, 20))
      let atOnce = 0
      let most = 0
      const four = Promise.withResolvers<undefined>()
      const handle = async () => {
        most = Math.max(most, ++atOnce)
        if (atOnce === 4) four.resolve(undefined)
        await four.promise
        atOnce--
        return done
      }
      const consumer = startConsumer(log, { topics: [topic], concurrency: 4, handle })
      await consumer.saw(20)
      await consumer.stop()
      assert.equal(most, 4)
    },
  )

  claim(open, 'records with one key never overlap', async ({ log, createTopic }) => {
    const topic = await createTopic(2)
    await log.append(numbered(topic, 200, 4))
    const running = new Set<string>()
    const overlaps: string[] = []
    const consumer = startConsumer(log, {
      topics: [topic],
      concurrency: 16,
      handle: async ({ key, value }) => {
        if (running.has(key)) overlaps.push(value)
        running.add(key)
        await log.ping()
        running.delete(key)
        return done
      },
    })
    await consumer.saw(200)
    await consumer.stop()
    assert.deepEqual(overlaps, [])
    const byKey = valuesByKey(firstSights(consumer.seen))
    for (const key of numbers(4)) assert.deepEqual(byKey[`key-${key}`], valuesOf(200, 4, Number(key)))
  })

  claim(open, 'two members share the partitions; one leaves in mid-work and nothing is lost', async (context) => {
    const { log, reopen, createTopic } = context
    const topic = await createTopic(6)
    const staying = startConsumer(log, { topics: [topic], concurrency: 2 })
    let isHanging = false
    const leaving = startConsumer(await reopen(), {
      topics: [topic],
      group: staying.group,
      concurrency: 2,
      handle: () => (isHanging ? new Promise(() => undefined) : Promise.resolve(done)),
    })
    let appended = 0
    const appendMore = async () => {
      await log.append(numbered(topic, 24, 12, appended))
      appended += 24
    }
    const appendUntilSeen = (consumer: TestConsumer, who: string) => {
      const before = consumer.seen.length
      const isSeen = () => appendMore().then(() => consumer.seen.length > before)
      return eventually(isSeen, `${who} being handed records`, patienceMs)
    }
    for (const [who, consumer] of Object.entries({ leaving, staying })) await appendUntilSeen(consumer, who)

    isHanging = true
    const sofar = leaving.seen.length
    await appendUntilSeen(leaving, 'the one about to leave')
    await leaving.abandon()
    await appendMore()
    const all = () => new Set([...staying.values(), ...leaving.values()])
    await eventually(() => all().size === appended, 'all records being handed out', patienceMs)
    const hung = leaving.values().slice(sofar)
    await eventually(
      () => hung.every((value) => staying.values().includes(value)),
      'the hung ones coming again',
      patienceMs,
    )
    await staying.stop()
  })
}
