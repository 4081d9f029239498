import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'

import { RefusalError, SetupError } from '#shared/ports/failures.ts'

import { readAll, valuesByKey } from '../../support/event-log-consumer.ts'
import { claim, numbered, numbers } from './fixture.ts'
import type { OpenFixture } from './fixture.ts'

export const appendClaims = (open: OpenFixture) => {
  claim(open, 'what was appended is read back as it was', async ({ log, createTopic }) => {
    const topic = await createTopic()
    const before = Date.now()
    const records = [
      { key: 'empty', value: '' },
      { key: 'schlüssel/🔑', value: 'größe 🦆 \u0000 "\\\n', headers: { plain: 'x', ünïcode: '🦆', empty: '' } },
      { key: 'big', value: 'ä'.repeat(450_000) },
    ]
    await log.append(records.map((record) => ({ topic, ...record })))
    const found = await readAll(log, topic)
    assert.deepEqual(
      found.map(({ key, value, headers }) => ({ key, value, headers })),
      records.map((record) => ({ headers: {}, ...record })),
    )
    for (const record of found) {
      assert.equal(record.topic, topic)
      assert.equal(record.partition, 0)
      assert.match(record.offset, /^\d+$/)
      assert.ok(Math.abs(record.appendedAt.getTime() - before) < 60_000)
    }
  })

  claim(
    open,
    'records of one key are in one partition, in the order of their appends',
    async ({ log, createTopic }) => {
      const topic = await createTopic(4)
      for (let first = 0; first < 60; first += 20) await log.append(numbered(topic, 20, 10, first))
      const found = await readAll(log, topic)
      assert.equal(found.length, 60)
      for (const [key, values] of Object.entries(valuesByKey(found))) {
        assert.deepEqual(
          values,
          [...values].sort((one, other) => Number(one) - Number(other)),
        )
        assert.equal(new Set(found.filter((record) => record.key === key).map(({ partition }) => partition)).size, 1)
      }
      assert.ok(new Set(found.map(({ partition }) => partition)).size > 1)
    },
  )

  claim(open, 'offsets rise within a partition', async ({ log, createTopic }) => {
    const topic = await createTopic()
    await log.append(numbered(topic, 20))
    const offsets = (await readAll(log, topic)).map(({ offset }) => BigInt(offset))
    assert.ok(offsets.every((offset, index) => index === 0 || offset > (offsets[index - 1] ?? offset)))
  })

  claim(open, 'appends that are under way at once settle each by itself', async ({ log, createTopic }) => {
    const topic = await createTopic()
    const unknown = `contract-${randomUUID()}`
    const [first, second, third] = await Promise.allSettled([
      log.append([{ topic, key: 'a', value: '0' }]),
      log.append([{ topic: unknown, key: 'a', value: '1' }]),
      log.append([{ topic, key: 'a', value: '2' }]),
    ])
    assert.equal(first.status, 'fulfilled')
    assert.ok(second.status === 'rejected' && second.reason instanceof SetupError)
    assert.equal(third.status, 'fulfilled')
    assert.deepEqual(valuesByKey(await readAll(log, topic)), { a: ['0', '2'] })
  })

  claim(open, 'a record that is too large is refused', async ({ log, createTopic }) => {
    const topic = await createTopic()
    await assert.rejects(log.append([{ topic, key: 'a', value: 'x'.repeat(3_000_000) }]), RefusalError)
  })

  claim(open, 'many thousand records in one append all arrive', async ({ log, createTopic }) => {
    const topic = await createTopic(3)
    await log.append(numbered(topic, 5_000, 50))
    await log.append([])
    const values = (await readAll(log, topic)).map(({ value }) => Number(value))
    assert.deepEqual(values.sort((one, other) => one - other).map(String), numbers(5_000))
  })
}
