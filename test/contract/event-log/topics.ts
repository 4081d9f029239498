import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'

import { SetupError } from '#shared/ports/failures.ts'

import { numbered } from './fixture.ts'
import { claim } from './fixture.ts'
import type { OpenFixture } from './fixture.ts'
import { startConsumer } from '../../support/event-log-consumer.ts'

export const topicClaims = (open: OpenFixture) => {
  claim(
    open,
    'ensureTopics creates what is missing, says so by name, and then finds nothing to do',
    async ({ log }) => {
      const topics = [1, 3].map((partitions) => ({ name: `contract-${randomUUID()}`, partitions, retentionDays: 7 }))
      const changes = await log.ensureTopics(topics)
      assert.equal(changes.length, 2)
      for (const { name } of topics) assert.ok(changes.some((change) => change.includes(name)))
      assert.deepEqual(await log.ensureTopics(topics), [])
      await log.checkTopics(topics)
    },
  )

  claim(
    open,
    'checkTopics names every topic that is missing or has too few partitions',
    async ({ log, createTopic }) => {
      const small = { name: await createTopic(1), partitions: 2, retentionDays: 7 }
      const missing = [1, 2].map(() => ({ name: `contract-${randomUUID()}`, partitions: 1, retentionDays: 7 }))
      await assert.rejects(log.checkTopics([small, ...missing]), (error) => {
        assert.ok(error instanceof SetupError)
        for (const { name } of [small, ...missing]) assert.ok(error.message.includes(name), error.message)
        return true
      })
    },
  )

  claim(
    open,
    'a topic with added partitions loses nothing to a running consumer',
    async ({ log, reopen, createTopic }) => {
      const topic = await createTopic(1)
      await log.append(numbered(topic, 20, 5))
      const consumer = startConsumer(log, { topics: [topic] })
      await consumer.saw(20)
      await log.ensureTopics([{ name: topic, partitions: 3, retentionDays: 7 }])
      // One that appended before may know the old partitions for a while.
      await (await reopen()).append(numbered(topic, 40, 20, 20))
      await consumer.saw(60)
      await consumer.stop()
      assert.ok(new Set(consumer.seen.map(({ partition }) => partition)).size > 1)
    },
  )

  claim(
    open,
    'an unknown topic is refused by name, to who appends and to who consumes',
    async ({ log, createTopic }) => {
      const unknown = `contract-${randomUUID()}`
      const isNamed = (error: unknown) => error instanceof SetupError && error.message.includes(unknown)
      await assert.rejects(log.append(numbered(unknown, 1)), isNamed)
      await assert.rejects(startConsumer(log, { topics: [await createTopic(), unknown] }).ended, isNamed)
    },
  )

  claim(open, 'a log that is there answers a ping', async ({ log }) => log.ping())
}
