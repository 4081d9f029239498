import assert from 'node:assert/strict'
import { after, suite, test } from 'node:test'

import type { KafkaConfig } from '#shared/adapters/kafka/variables.ts'
import { SetupError } from '#shared/ports/failures.ts'

import { numbered } from '../contract/event-log/fixture.ts'
import { readAll, startConsumer } from '../support/event-log-consumer.ts'
import { startTestBroker } from '../support/kafka/broker.ts'
import { createTopic, withEventLogs } from '../support/kafka/event-logs.ts'
import { plainUser, scramUser } from '../support/kafka/server-properties.ts'

const broker = await startTestBroker()
after(() => broker?.stop())

const asUser = (
  mechanism: 'plain' | 'scram-sha-256',
  { username, password }: { username: string; password: string },
): KafkaConfig => ({
  KAFKA_SASL_MECHANISM: mechanism,
  KAFKA_SASL_USERNAME: username,
  KAFKA_SASL_PASSWORD: password,
})

const isSetupError = (pattern: RegExp) => (error: unknown) => {
  assert.ok(error instanceof SetupError, String(error))
  assert.match(error.message, pattern)
  assert.ok(!error.message.includes('wrong-secret'))
  return true
}

const checkRoundTrip = (brokers: string, config: KafkaConfig) =>
  withEventLogs(brokers, async (open) => {
    const log = open(config)
    const topic = await createTopic(log)
    await log.append(numbered(topic, 3))
    const consumer = startConsumer(log, { topics: [topic] })
    await consumer.saw(3)
    await consumer.stop()
    assert.equal((await readAll(log, topic)).length, 3)
  })

/** Every way to begin says the same. */
const checkRefusal = (brokers: string, config: KafkaConfig, pattern: RegExp) =>
  withEventLogs(brokers, async (open) => {
    const log = open(config)
    await assert.rejects(log.ping(), isSetupError(pattern))
    await assert.rejects(log.checkTopics([]), isSetupError(pattern))
    await assert.rejects(log.append(numbered('any', 1)), isSetupError(pattern))
    await assert.rejects(startConsumer(log, { topics: ['any'] }).ended, isSetupError(pattern))
  })

if (broker)
  suite('a listener that asks for users', () => {
    const { sasl, secure } = broker
    const wrong = { username: plainUser.username, password: 'wrong-secret' }
    if (sasl) {
      test('lets in a user of SASL PLAIN', () => checkRoundTrip(sasl.brokers, asUser('plain', plainUser)))
      test('lets in a user of SASL SCRAM', () => checkRoundTrip(sasl.brokers, asUser('scram-sha-256', scramUser)))
      test('refuses a wrong password, which is told at once and never shown', () =>
        checkRefusal(sasl.brokers, asUser('plain', wrong), /denies access.*KAFKA_SASL_PASSWORD/))
      test('refuses a mechanism that it does not know', () =>
        checkRefusal(
          sasl.brokers,
          { ...asUser('plain', plainUser), KAFKA_SASL_MECHANISM: 'scram-sha-512' },
          /KAFKA_SASL_MECHANISM/,
        ))
    }
    if (secure) {
      const tls: KafkaConfig = { KAFKA_SSL: true, KAFKA_SSL_CA: secure.ca }
      test('lets in a user over TLS', () => checkRoundTrip(secure.brokers, { ...tls, ...asUser('plain', plainUser) }))
      test('refuses a wrong password over TLS', () =>
        checkRefusal(secure.brokers, { ...tls, ...asUser('scram-sha-256', wrong) }, /KAFKA_SASL_PASSWORD/))
      test('is not trusted without its certificate', () =>
        checkRefusal(secure.brokers, { KAFKA_SSL: true, ...asUser('plain', plainUser) }, /KAFKA_SSL_CA/))
    }
  })

suite('variables that contradict each other', () => {
  const contradictions: [string, KafkaConfig, RegExp][] = [
    ['no brokers', {}, /KAFKA_BROKERS is not set/],
    ['a mechanism without a password', { KAFKA_SASL_MECHANISM: 'plain' }, /KAFKA_SASL_PASSWORD/],
    ['MSK IAM without a region', { KAFKA_SASL_MECHANISM: 'aws-msk-iam', KAFKA_SSL: true }, /AWS_REGION/],
    ['MSK IAM without TLS', { KAFKA_SASL_MECHANISM: 'aws-msk-iam', AWS_REGION: 'eu-central-1' }, /KAFKA_SSL=true/],
  ]
  for (const [what, config, pattern] of contradictions)
    test(`${what} is told before anything is connected`, async () => {
      const { kafkaEventLog } = await import('#shared/adapters/kafka/event-log.ts')
      const brokers = what === 'no brokers' ? {} : { KAFKA_BROKERS: ['127.0.0.1:1'] }
      assert.throws(() => kafkaEventLog({ ...brokers, ...config }), isSetupError(pattern))
    })
})
