import assert from 'node:assert/strict'
import { test } from 'node:test'

import { kafkaEventLog } from '#shared/adapters/kafka/event-log.ts'
import { topics } from '#shared/domain/resources.ts'

import { eventually } from '../support/eventually.ts'
import { onKafka, openKafkaPlace } from '../support/kafka/place.ts'
import { startProcess } from '../support/local-system.ts'
import { openSurroundings } from '../support/services.ts'

const { broker, directory } = await openKafkaPlace()

test(
  'a dispatcher that begins while the broker is away goes on when it is back, or names the topic that is missing then and exits 1',
  { skip: broker?.faults ? false : 'no broker that can be killed' },
  async () => {
    if (!broker?.faults) return
    // S3 and SQS alone: the event log of these surroundings is a file, and the topics of Kafka are made below.
    const surroundings = await openSurroundings(directory.path)
    const log = kafkaEventLog({ KAFKA_BROKERS: [broker.brokers], KAFKA_REPLICATION: 1, KAFKA_MIN_INSYNC: 1 })
    try {
      const begin = async () => {
        await broker.faults?.kill()
        const dispatcher = startProcess('services/scan-dispatcher/main.ts', [], {
          ...surroundings.environment,
          ...onKafka(broker),
        })
        await eventually(() => dispatcher.output().includes('has started and waits'), 'the dispatcher to wait', 20_000)
        await broker.faults?.restart()
        return dispatcher
      }
      const [last, ...others] = topics.toReversed()
      await log.ensureTopics(others)
      const failing = await begin()
      assert.equal(await failing.ended, 1)
      assert.match(failing.output(), new RegExp(`^scan-dispatcher: .*${last?.name ?? ''} does not exist`, 'm'))

      await log.ensureTopics(topics)
      const goingOn = await begin()
      const health = /"health":"([^"]+)"/.exec(goingOn.output())?.[1] ?? ''
      await eventually(
        async () => (await fetch(`${health}/readyz`)).status === 200,
        'the dispatcher to be ready',
        40_000,
      )
      goingOn.child.kill('SIGTERM')
      assert.equal(await goingOn.ended, 0)
    } finally {
      await log.close()
      await surroundings.close()
    }
  },
)
