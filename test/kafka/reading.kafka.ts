import assert from 'node:assert/strict'
import { after, suite, test } from 'node:test'

import kafkajs from 'kafkajs'
import type { Admin, Transaction } from 'kafkajs'

import { numbered } from '../contract/event-log/fixture.ts'
import { readAll } from '../support/event-log-consumer.ts'
import { eventually } from '../support/eventually.ts'
import { startTestBroker } from '../support/kafka/broker.ts'
import { createTopic, withEventLogs } from '../support/kafka/event-logs.ts'

const broker = await startTestBroker()
after(() => broker?.stop())
const timeout = 60_000

const openClient = (brokers: string) =>
  new kafkajs.Kafka({ brokers: brokers.split(','), logLevel: kafkajs.logLevel.NOTHING })

const withAdmin = async (brokers: string, body: (admin: Admin) => Promise<unknown>) => {
  const admin = openClient(brokers).admin()
  await admin.connect()
  await body(admin)
  await admin.disconnect()
}

/** Lets a producer of another kind send the values in one transaction, and end it. */
const transact = async (
  brokers: string,
  { topic, values, end }: { topic: string; values: string[]; end: (transaction: Transaction) => Promise<void> },
) => {
  const settings = { transactionalId: topic, maxInFlightRequests: 1, idempotent: true }
  const producer = openClient(brokers).producer(settings)
  await producer.connect()
  const transaction = await producer.transaction()
  const [sent] = await transaction.send({ topic, messages: values.map((value) => ({ key: 'key', value })) })
  await end(transaction)
  await producer.disconnect()
  // The broker writes the marker after its answer; before that what was sent is not there for readers.
  const high = String(Number(sent?.baseOffset) + values.length + 1)
  const isMarked = async (admin: Admin) => (await admin.fetchTopicOffsets(topic))[0]?.high === high
  await withAdmin(brokers, (admin) => eventually(() => isMarked(admin), "the transaction's marker"))
}

const deleteUpTo = (brokers: string, topic: string, offset: string) =>
  withAdmin(brokers, async (admin) => {
    // Only by this does kafkajs come to know the topic that it is to delete from.
    await admin.fetchTopicOffsets(topic)
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset }] })
  })

if (broker)
  suite('reading to the end', () => {
    const { brokers } = broker
    const checkRead = (prepare: (topic: string) => Promise<void>, values: string[]) =>
      withEventLogs(brokers, async (open) => {
        const log = open()
        const topic = await createTopic(log)
        await log.append(numbered(topic, 2))
        await prepare(topic)
        assert.deepEqual(
          (await readAll(log, topic)).map(({ value }) => value),
          values,
        )
      })

    test('ends behind a transaction that was committed', { timeout }, () =>
      checkRead(
        (topic) => transact(brokers, { topic, values: ['a', 'b'], end: (transaction) => transaction.commit() }),
        ['0', '1', 'a', 'b'],
      ),
    )

    test('ends behind a transaction that was aborted', { timeout }, () =>
      checkRead(
        (topic) => transact(brokers, { topic, values: ['a', 'b'], end: (transaction) => transaction.abort() }),
        ['0', '1'],
      ),
    )

    test('ends when only the marker of a transaction is left', { timeout }, () =>
      checkRead(async (topic) => {
        await transact(brokers, { topic, values: ['a'], end: (transaction) => transaction.commit() })
        await deleteUpTo(brokers, topic, '3')
      }, []),
    )

    test('ends when what was to be read is deleted meanwhile', { timeout }, () =>
      withEventLogs(brokers, async (open) => {
        const log = open()
        const topic = await createTopic(log)
        await log.append(numbered(topic, 3))
        const { signal } = new AbortController()
        const records = await log.read({ topics: [topic], from: 'start', follow: false, signal })
        await deleteUpTo(brokers, topic, '3')
        assert.deepEqual(await Array.fromAsync(records), [])
      }),
    )
  })
