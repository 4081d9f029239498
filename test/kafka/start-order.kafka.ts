import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, suite, test } from 'node:test'

import kafkajs from 'kafkajs'

import { OutageError, RefusalError, SetupError } from '#shared/ports/failures.ts'

import { numbered } from '../contract/event-log/fixture.ts'
import { readAll, startConsumer } from '../support/event-log-consumer.ts'
import { eventually } from '../support/eventually.ts'
import { startTestBroker } from '../support/kafka/broker.ts'
import { createTopic, withEventLogs } from '../support/kafka/event-logs.ts'

const broker = await startTestBroker()
after(() => broker?.stop())

/** A limit of 2,000 bytes, as an operator may set it. */
const limitRecords = async (brokers: string, topic: string) => {
  const admin = new kafkajs.Kafka({ brokers: [brokers] }).admin()
  const configEntries = [{ name: 'max.message.bytes', value: '2000' }]
  const type = kafkajs.ConfigResourceTypes.TOPIC
  await admin.alterConfigs({ validateOnly: false, resources: [{ type, name: topic, configEntries }] })
  await admin.disconnect()
}

if (broker)
  suite('topics and the order of starts on Kafka', () => {
    test('a consumer before its topic is told which one is missing', () =>
      withEventLogs(broker.brokers, async (open) => {
        const topic = `test-${randomUUID()}`
        const isNamed = (error: unknown) => error instanceof SetupError && error.message.includes(topic)
        await assert.rejects(startConsumer(open(), { topics: [topic] }).ended, isNamed)
      }))

    test('ensureTopics mends what differs and says what it changed', () =>
      withEventLogs(broker.brokers, async (open) => {
        const log = open()
        const name = await createTopic(log)
        const wanted = [{ name, partitions: 3, retentionDays: 30 }]
        await assert.rejects(log.checkTopics(wanted), /has 1 partitions instead of 3.*retention\.ms=604800000/)
        assert.deepEqual(await log.ensureTopics(wanted), [
          `Changed the topic ${name} from 1 to 3 partitions.`,
          `Changed retention.ms of the topic ${name} to 2592000000.`,
        ])
        await log.checkTopics(wanted)
        assert.deepEqual(await log.ensureTopics(wanted), [])
        // More partitions than wanted are fine.
        await log.checkTopics([{ name, partitions: 2, retentionDays: 30 }])
      }))

    test('a record that its topic refuses is refused alone, and ensureTopics leaves such a limit as it is', () =>
      withEventLogs(broker.brokers, async (open) => {
        const log = open()
        const topic = await createTopic(log, 2)
        await limitRecords(broker.brokers, topic)
        await log.ensureTopics([{ name: topic, partitions: 2, retentionDays: 3 }])
        const values = ['0', '1', 'x'.repeat(3_000), '2', '3']
        const results = await Promise.allSettled(values.map((value) => log.append([{ topic, key: 'a', value }])))
        const [refused, ...others] = results.filter((result) => result.status === 'rejected')
        assert.equal(results[2], refused)
        assert.deepEqual(others, [])
        assert.ok(refused?.reason instanceof RefusalError)
        assert.deepEqual(new Set((await readAll(log, topic)).map(({ value }) => value)), new Set(['0', '1', '2', '3']))
      }))

    const { faults } = broker
    if (faults)
      test('a consumer and a producer that start before the broker wait and go on', () =>
        withEventLogs(broker.brokers, async (open) => {
          const topic = await createTopic(open(), 2)
          await faults.kill()
          const log = open()
          const consumer = startConsumer(log, { topics: [topic] })
          await assert.rejects(log.append(numbered(topic, 1)), OutageError)
          await assert.rejects(log.ping(), OutageError)
          await assert.rejects(log.checkTopics([]), OutageError)
          await faults.restart()
          const isBack = () =>
            log.ping().then(
              () => true,
              () => false,
            )
          await eventually(isBack, 'the broker answering', 30_000)
          await log.append(numbered(topic, 10, 5))
          await consumer.saw(10)
          await consumer.stop()
        }))
  })
