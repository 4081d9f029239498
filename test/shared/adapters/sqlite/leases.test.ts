import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { suite, test } from 'node:test'

import { planAssignment } from '#shared/adapters/sqlite/membership.ts'
import { partitionOf } from '#shared/adapters/sqlite/topics.ts'
import { done } from '#shared/domain/outcomes.ts'

import { startConsumer } from '../../../support/event-log-consumer.ts'
import { createTestTopic, testTopic as topic, withEventLogFile } from '../../../support/event-log-file.ts'
import { eventually } from '../../../support/eventually.ts'

const withDatabase = <T>(path: string, work: (database: DatabaseSync) => T): T => {
  const database = new DatabaseSync(path, { timeout: 5_000 })
  const result = work(database)
  database.close()
  return result
}

/** A member on another machine, of which nothing can be known but its lease. */
const addMember = (path: string, expiresAt: number) =>
  withDatabase(path, (database) =>
    database
      .prepare("INSERT INTO members VALUES ('other', 'group', ?, 'another machine', 1, ?)")
      .run(JSON.stringify([topic]), expiresAt),
  )

/** Makes that member the owner of the first partitions. */
const seizePartitions = (path: string, partitions: number) =>
  withDatabase(path, (database) => {
    const seize = database.prepare(
      `INSERT INTO positions SELECT 'group', id, ?, 0, 'other' FROM topics WHERE name = ?
        ON CONFLICT DO UPDATE SET owner = 'other'`,
    )
    for (let partition = 0; partition < partitions; partition++) seize.run(partition, topic)
  })

const countMembers = (path: string) =>
  withDatabase(path, (database) => database.prepare('SELECT count(*) AS members FROM members').get()?.['members'])

const readPositions = (path: string) =>
  withDatabase(path, (database) =>
    database.prepare("SELECT committed, owner FROM positions WHERE group_name = 'group' ORDER BY partition").all(),
  ).map((row) => ({ ...row }))

suite('leases', () => {
  test('a member that may be alive keeps its partitions until its lease is over', () =>
    withEventLogFile(async ({ path, open }) => {
      let time = Date.now()
      const log = open({ now: () => new Date(time) })
      await createTestTopic(log, 2)
      addMember(path, time + 4_000)
      seizePartitions(path, 2)
      await log.append(['a', 'b', 'c', 'd'].map((key) => ({ topic, key, value: key })))
      const consumer = startConsumer(log, { topics: [topic], group: 'group' })
      await eventually(() => countMembers(path) === 2, 'the consumer being a member')
      assert.deepEqual(consumer.seen, [])
      const other = { committed: 0, owner: 'other' }
      assert.deepEqual(readPositions(path), [other, other])
      time += 4_000
      await consumer.saw(4)
      await consumer.stop()
    }))

  test('a member that lost its partition moves no offset, and its handler is told', () =>
    withEventLogFile(async ({ path, open }) => {
      const log = open()
      await createTestTopic(log)
      await log.append([{ topic, key: 'a', value: '0' }])
      const inHand = Promise.withResolvers<undefined>()
      const signals: AbortSignal[] = []
      const consumer = startConsumer(log, {
        topics: [topic],
        group: 'group',
        handle: async (_, { signal }) => {
          signals.push(signal)
          await inHand.promise
          return done
        },
      })
      await consumer.saw(1)
      addMember(path, Date.now() + 60_000)
      seizePartitions(path, 1)
      inHand.resolve(undefined)
      await eventually(() => signals[0]?.aborted, 'the handler being told')
      await consumer.stop()
      assert.deepEqual(readPositions(path), [{ committed: 0, owner: 'other' }])
    }))

  test('a partition that is due to another member goes when what is in hand is done, an idle one at once', () =>
    withEventLogFile(async ({ path, open }) => {
      const log = open()
      await createTestTopic(log, 4)
      const key = 'abcdefgh'.split('').find((letter) => partitionOf(letter, 4) === 1) ?? ''
      await log.append([
        { topic, key, value: '0' },
        { topic, key, value: '1' },
      ])
      const inHand = Promise.withResolvers<undefined>()
      const handle = () => inHand.promise.then(() => done)
      const consumer = startConsumer(log, { topics: [topic], group: 'group', handle })
      await consumer.saw(1)
      addMember(path, Date.now() + 60_000)
      await eventually(() => readPositions(path)[3]?.['owner'] === null, 'the idle partition being released')
      assert.equal(typeof readPositions(path)[1]?.['owner'], 'string')
      inHand.resolve(undefined)
      await eventually(() => readPositions(path)[1]?.['owner'] === null, 'the other partition being released')
      assert.equal(readPositions(path)[1]?.['committed'], Number(consumer.seen[0]?.offset))
      await consumer.stop()
      assert.deepEqual(consumer.values(), ['0'])
    }))

  test('a member that leaves gives its partitions back', () =>
    withEventLogFile(async ({ path, open }) => {
      const log = open()
      await createTestTopic(log)
      await log.append([{ topic, key: 'a', value: '0' }])
      const consumer = startConsumer(log, { topics: [topic], group: 'group' })
      await consumer.saw(1)
      await consumer.stop()
      assert.deepEqual(readPositions(path), [{ committed: 1, owner: null }])
      assert.equal(countMembers(path), 0)
    }))

  test('partitions are dealt evenly to those who want their topic', () => {
    const stored = (name: string, id: number) => ({ name, id, partitions: 3, retentionDays: 7 })
    const topics = [stored('one', 1), stored('two', 2)]
    const partitions = topics.flatMap((topic) => [0, 1, 2].map((partition) => ({ topic, partition })))
    const members = [
      { id: 'a', topics: ['one', 'two'] },
      { id: 'b', topics: ['one', 'two'] },
      { id: 'c', topics: ['two'] },
    ]
    const plan = planAssignment(partitions, members)
    assert.equal(plan.get('a')?.length, 3)
    assert.equal([...plan.values()].flat().length, 6)
    assert.ok(plan.get('c')?.every((held) => held.topic.name === 'two'))
    assert.deepEqual(planAssignment(partitions, []), new Map())
  })
})
