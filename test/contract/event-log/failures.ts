import assert from 'node:assert/strict'

import { done, reject, retry } from '#shared/domain/outcomes.ts'
import { deadLetterTopic } from '#shared/domain/resources.ts'
import type { EventLog, LogRecord, RecordHandler } from '#shared/ports/event-log.ts'
import { OutageError, SetupError } from '#shared/ports/failures.ts'

import { patienceMs, readAll, startConsumer } from '../../support/event-log-consumer.ts'
import { eventually } from '../../support/eventually.ts'
import { claim, numbered, numbers } from './fixture.ts'
import type { OpenFixture } from './fixture.ts'

const oneDeadLetter = async (log: EventLog, topic: string): Promise<LogRecord> => {
  const [letter, ...others] = await readAll(log, deadLetterTopic(topic))
  assert.ok(letter)
  assert.deepEqual(others, [])
  return letter
}

/** Fails one value as told, notes its attempts and is done with all others. */
const failing = (value: string, fail: RecordHandler) => {
  const attempts: number[] = []
  const handle: RecordHandler = (record, context) => {
    if (record.value !== value) return Promise.resolve(done)
    attempts.push(context.attempt)
    return fail(record, context)
  }
  return { attempts, handle }
}

export const failureClaims = (open: OpenFixture) => {
  claim(open, 'a record whose handler throws is handed out again, before later ones of its key', async (context) => {
    const { log, createTopic } = context
    const topic = await createTopic(2)
    await log.append(numbered(topic, 8, 4))
    const finished: string[] = []
    const handle: RecordHandler = ({ value }, { attempt }) => {
      if (attempt === 1) throw new TypeError('not yet')
      if (attempt === 2) return Promise.resolve(retry('still not'))
      finished.push(value)
      return Promise.resolve(done)
    }
    const consumer = startConsumer(log, { topics: [topic], concurrency: 4, handle })
    await eventually(() => finished.length === 8, 'all being done', patienceMs)
    await consumer.stop()
    for (const key of numbers(4)) assert.ok(finished.indexOf(key) < finished.indexOf(String(Number(key) + 4)))
    assert.deepEqual(await readAll(log, deadLetterTopic(topic)), [])
  })

  claim(open, 'a rejected record becomes a dead letter with its origin, and the next go on', async (context) => {
    const { log, reopen, createTopic } = context
    const topic = await createTopic(2)
    const poison = { topic, key: 'kéy', value: 'poison 🦠', headers: { traceparent: 'abc' } }
    await log.append([...numbered(topic, 4, 4), poison, { topic, key: 'kéy', value: 'next' }])
    const { attempts, handle } = failing(poison.value, () => Promise.resolve(reject('not ours: ü')))
    const consumer = startConsumer(log, { topics: [topic], handle })
    await consumer.saw(6)
    await consumer.stop()
    assert.deepEqual(attempts, [1])

    const origin = consumer.seen.find(({ value }) => value === poison.value)
    const letter = await oneDeadLetter(await reopen(), topic)
    const { 'dead-letter-time': time, ...headers } = letter.headers
    assert.equal(letter.key, poison.key)
    assert.equal(letter.value, poison.value)
    assert.deepEqual(headers, {
      traceparent: 'abc',
      'dead-letter-topic': topic,
      'dead-letter-partition': String(origin?.partition),
      'dead-letter-offset': origin?.offset,
      'dead-letter-key': poison.key,
      'dead-letter-reason': 'not ours: ü',
      'dead-letter-attempts': '1',
    })
    assert.ok(Math.abs(Date.parse(time ?? '') - Date.now()) < 60_000)

    await log.append([{ topic, key: 'kéy', value: 'after' }])
    const second = startConsumer(log, { topics: [topic], group: consumer.group })
    await second.saw(1)
    await second.stop()
    assert.deepEqual(second.values(), ['after'])
  })

  claim(open, 'a record that fails five times by itself becomes a dead letter', async ({ log, createTopic }) => {
    const topic = await createTopic()
    await log.append(numbered(topic, 3))
    const { attempts, handle } = failing('1', () => Promise.reject(new RangeError('it never works')))
    const consumer = startConsumer(log, { topics: [topic], handle })
    await consumer.saw(3)
    await consumer.stop()
    assert.deepEqual(attempts, [1, 2, 3, 4, 5])
    const { value, headers } = await oneDeadLetter(log, topic)
    assert.equal(value, '1')
    assert.equal(headers['dead-letter-attempts'], '5')
    assert.match(headers['dead-letter-reason'] ?? '', /it never works/)
  })

  claim(open, 'an outage is waited for, uncounted, with the later records of the key', async ({ log, createTopic }) => {
    const topic = await createTopic()
    await log.append(numbered(topic, 3))
    let outages = 6
    const { attempts, handle } = failing('1', () =>
      outages-- > 0 ? Promise.reject(new OutageError('SQS', 'it is a test')) : Promise.resolve(done),
    )
    const consumer = startConsumer(log, { topics: [topic], handle })
    await consumer.saw(3)
    await consumer.stop()
    assert.deepEqual(attempts, Array<number>(7).fill(1))
    assert.deepEqual(consumer.values(), ['0', ...Array<string>(7).fill('1'), '2'])
    assert.deepEqual(await readAll(log, deadLetterTopic(topic)), [])
  })

  claim(open, 'a stop during an outage does not wait for its end, and the record comes again', async (context) => {
    const { log, createTopic } = context
    const topic = await createTopic()
    await log.append(numbered(topic, 2))
    const { handle } = failing('0', () => Promise.reject(new OutageError('SQS', 'it is a test')))
    const first = startConsumer(log, { topics: [topic], handle })
    await first.saw(1)
    await first.stop()
    const second = startConsumer(log, { topics: [topic], group: first.group })
    await second.saw(2)
    await second.stop()
    assert.deepEqual(second.values(), ['0', '1'])
  })

  claim(
    open,
    'a handler that finds the set-up wrong ends the consumer, and its record comes again',
    async (context) => {
      const { log, createTopic } = context
      const topic = await createTopic()
      await log.append(numbered(topic, 2))
      const { handle } = failing('0', () => Promise.reject(new SetupError('no such queue')))
      const first = startConsumer(log, { topics: [topic], handle })
      await assert.rejects(first.ended, (error) => error instanceof SetupError && error.message === 'no such queue')
      const second = startConsumer(log, { topics: [topic], group: first.group })
      await second.saw(2)
      await second.stop()
      assert.deepEqual(second.values(), ['0', '1'])
    },
  )
}
