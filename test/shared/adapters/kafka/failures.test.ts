import assert from 'node:assert/strict'
import { test } from 'node:test'

import kafkajs from 'kafkajs'

import { explainFailure } from '#shared/adapters/kafka/failures.ts'
import { OutageError, RefusalError, SetupError } from '#shared/ports/failures.ts'

const protocolError = (type: string) =>
  Object.assign(new kafkajs.KafkaJSProtocolError('in words'), { type, retriable: true })
const wrapped = (error: Error) => new kafkajs.KafkaJSNumberOfRetriesExceeded(error, { retryCount: 5, retryTime: 100 })
const connectionError = (code: string) => new kafkajs.KafkaJSConnectionError('no connection', { code })

const kinds: [string, Error, new (...rest: never[]) => Error][] = [
  ['a broker that refuses connections', connectionError('ECONNREFUSED'), OutageError],
  [
    'a request without an answer',
    Object.assign(new kafkajs.KafkaJSError('late'), { name: 'KafkaJSRequestTimeoutError' }),
    OutageError,
  ],
  ['too few replicas', protocolError('NOT_ENOUGH_REPLICAS'), OutageError],
  ['a leader that moved', protocolError('NOT_LEADER_FOR_PARTITION'), OutageError],
  ['a fault of kafkajs', new TypeError('null'), OutageError],
  ['a record that is too large', protocolError('MESSAGE_TOO_LARGE'), RefusalError],
  ['an invalid record', protocolError('INVALID_RECORD'), RefusalError],
  ['an unknown topic', protocolError('UNKNOWN_TOPIC_OR_PARTITION'), SetupError],
  ['a topic that may not be used', protocolError('TOPIC_AUTHORIZATION_FAILED'), SetupError],
  [
    'a wrong password',
    Object.assign(new kafkajs.KafkaJSError('failed'), { name: 'KafkaJSSASLAuthenticationError' }),
    SetupError,
  ],
  ['a certificate that is not trusted', connectionError('DEPTH_ZERO_SELF_SIGNED_CERT'), SetupError],
]

for (const [what, error, kind] of kinds)
  test(`${what} is told as ${kind.name}, also when kafkajs wraps it`, () => {
    for (const one of [error, wrapped(error), wrapped(wrapped(error))]) {
      const explained = explainFailure(one, ['image.uploaded'])
      assert.ok(explained instanceof kind, `${explained.name}: ${explained.message}`)
      assert.equal(explained.cause, one)
    }
  })

test('an unknown topic is named', () => {
  const { message } = explainFailure(protocolError('UNKNOWN_TOPIC_OR_PARTITION'), ['image.uploaded'])
  assert.match(message, /image\.uploaded does not exist/)
})

const hangUps = ['Closed connection', 'Client network socket disconnected before secure TLS connection was established']
for (const message of hangUps)
  test(`"${message}" is told with what it may come from`, () => {
    const explained = explainFailure(wrapped(new kafkajs.KafkaJSConnectionError(message)), [])
    assert.ok(explained instanceof OutageError)
    assert.match(explained.message, /See KAFKA_SSL and KAFKA_SASL_MECHANISM/)
  })

test('other outages are told without advice on listeners', () => {
  assert.doesNotMatch(explainFailure(connectionError('ECONNREFUSED'), []).message, /KAFKA_SSL/)
})
