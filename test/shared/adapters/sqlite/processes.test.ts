import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { suite, test } from 'node:test'

import { firstSights, readAll, startConsumer, valuesByKey } from '../../../support/event-log-consumer.ts'
import { createTestTopic, testTopic as topic, withEventLogFile } from '../../../support/event-log-file.ts'
import { startAppender, startMember } from '../../../support/event-log-process.ts'
import { eventually } from '../../../support/eventually.ts'

const patienceMs = 30_000
const numbered = (count: number, first = 0) =>
  Array.from({ length: count }, (_, index) => ({ topic, key: `key-${index % 20}`, value: String(first + index) }))

suite('several processes on one event log', () => {
  test('processes that create the file and append at once lose nothing and keep the order of each', () =>
    withEventLogFile(async ({ path, open }) => {
      const names = ['one', 'two', 'three']
      const appenders = names.map((name) => startAppender(path, topic, name, 100))
      assert.deepEqual(await Promise.all(appenders.map(({ exited }) => exited)), [0, 0, 0])
      const byKey = valuesByKey(await readAll(open(), topic))
      for (const name of names)
        assert.deepEqual(
          byKey[name],
          Array.from({ length: 100 }, (_, index) => `${name} ${index}`),
        )
    }))

  test('a follower sees what another process appends', () =>
    withEventLogFile(async ({ path, open }) => {
      const log = open()
      await createTestTopic(log, 2)
      const { signal } = new AbortController()
      const followed = await log.read({ topics: [topic], from: 'end', follow: true, signal })
      const appender = startAppender(path, topic, 'other', 20)
      let seen = 0
      for await (const { value } of followed) {
        assert.equal(value, `other ${seen}`)
        if (++seen === 20) break
      }
      assert.equal(await appender.exited, 0)
    }))

  test('a member killed at random moments loses nothing, and the next goes on', () =>
    withEventLogFile(async ({ path, open }) => {
      const log = open()
      await createTestTopic(log, 3)
      const printed: string[] = []
      let appended = 0
      for (let round = 0; round < 5; round++) {
        await log.append(numbered(1_000, appended))
        appended += 1_000
        const member = startMember(path, topic, 'group')
        const enough = randomInt(1, 900)
        await eventually(() => member.lines().length >= enough, 'a killed member being followed', patienceMs)
        await member.kill()
        printed.push(...member.lines())
      }
      const last = startConsumer(log, { topics: [topic], group: 'group' })
      const all = () => new Set([...printed, ...last.values()]).size
      await eventually(() => all() === appended, 'all records being handled', patienceMs)
      await last.stop()

      const keys = new Map((await readAll(log, topic)).map((record) => [record.value, record]))
      const handled = [...printed, ...last.values()].flatMap((value) => keys.get(value) ?? [])
      for (const values of Object.values(valuesByKey(firstSights(handled))))
        assert.deepEqual(
          values,
          [...values].sort((one, other) => Number(one) - Number(other)),
        )
    }))

  test("a killed member's partitions are taken over before its lease is over", () =>
    withEventLogFile(async ({ path, open }) => {
      await createTestTopic(open())
      await open().append(numbered(1))
      const member = startMember(path, topic, 'group')
      await eventually(() => member.lines().length === 1, 'the member being at work', patienceMs)
      const killedAt = Date.now()
      await member.kill()
      // A clock that stands still: by time alone the lease would never end.
      const log = open({ now: () => new Date(killedAt) })
      await log.append(numbered(1, 1))
      const next = startConsumer(log, { topics: [topic], group: 'group' })
      await eventually(() => next.values().includes('1'), 'the next member being handed the record', patienceMs)
      await next.stop()
    }))

  test('two member processes share the records of a group', () =>
    withEventLogFile(async ({ path, open }) => {
      const log = open()
      await createTestTopic(log, 4)
      const members = [1, 2].map(() => startMember(path, topic, 'group'))
      let appended = 0
      const appendMore = async () => {
        await log.append(numbered(100, appended))
        appended += 100
      }
      const areBothAtWork = () => members.every((member) => member.lines().length > 0)
      await eventually(() => appendMore().then(areBothAtWork), 'both being handed records', patienceMs)
      await appendMore()
      const all = () => new Set(members.flatMap((member) => member.lines())).size
      await eventually(() => all() === appended, 'all records being handled', patienceMs)
      await Promise.all(members.map((member) => member.kill()))
    }))
})
