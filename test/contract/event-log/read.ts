import assert from 'node:assert/strict'

import type { EventLog, ReadOptions } from '#shared/ports/event-log.ts'
import { SetupError } from '#shared/ports/failures.ts'

import { patienceMs } from '../../support/event-log-consumer.ts'
import { eventually } from '../../support/eventually.ts'
import { claim, numbered, numbers } from './fixture.ts'
import type { OpenFixture } from './fixture.ts'

/** Reads into a list until it is ended. */
const startFollower = (log: EventLog, options: Pick<ReadOptions, 'topics' | 'from'>) => {
  const values: string[] = []
  const end = new AbortController()
  const follow = async () => {
    for await (const { value } of await log.read({ ...options, follow: true, signal: end.signal })) values.push(value)
  }
  const ended = follow()
  return {
    values,
    saw: (value: string) => eventually(() => values.includes(value), `${value} being read`, patienceMs),
    end: () => {
      end.abort()
      return ended
    },
  }
}

export const readClaims = (open: OpenFixture) => {
  claim(open, 'a reader from the start ends where the log ended', async ({ log, createTopic }) => {
    const topics = [await createTopic(), await createTopic(3), await createTopic()]
    const { signal } = new AbortController()
    for (const topic of topics.slice(0, 2)) await log.append(numbered(topic, 150, 7))
    const found = await Array.fromAsync(await log.read({ topics, from: 'start', follow: false, signal }))
    assert.deepEqual(new Set(found.map(({ topic }) => topic)), new Set(topics.slice(0, 2)))
    assert.equal(found.length, 300)
    assert.deepEqual(await Array.fromAsync(await log.read({ topics, from: 'end', follow: false, signal })), [])
  })

  claim(
    open,
    'a follower from the start goes on with what comes, until its signal',
    async ({ log, reopen, createTopic }) => {
      const topic = await createTopic()
      await log.append(numbered(topic, 3))
      const follower = startFollower(log, { topics: [topic], from: 'start' })
      await follower.saw('2')
      await log.append(numbered(topic, 1, 1, 3))
      await follower.saw('3')
      await (await reopen()).append(numbered(topic, 1, 1, 4))
      await follower.saw('4')
      await follower.end()
      assert.deepEqual(follower.values, numbers(5))
    },
  )

  claim(open, 'a follower from the end reads only what comes later', async ({ log, createTopic }) => {
    const topic = await createTopic()
    await log.append(numbered(topic, 20))
    const end = new AbortController()
    const records = await log.read({ topics: [topic], from: 'end', follow: true, signal: end.signal })
    await log.append([{ topic, key: 'later', value: 'later' }])
    for await (const { value } of records) {
      assert.equal(value, 'later')
      end.abort()
    }
  })

  claim(open, 'a reader that leaves early leaves the log usable', async ({ log, createTopic }) => {
    const topic = await createTopic()
    await log.append(numbered(topic, 10))
    const { signal } = new AbortController()
    for await (const record of await log.read({ topics: [topic], from: 'start', follow: true, signal }))
      if (record.value === '4') break
    await log.append(numbered(topic, 1))
  })

  claim(open, 'a reader of an unknown topic is refused', async ({ log }) => {
    const { signal } = new AbortController()
    const read = log.read({ topics: ['contract-nobody'], from: 'start', follow: false, signal })
    await assert.rejects(read, SetupError)
  })
}
