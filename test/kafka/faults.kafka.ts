import assert from 'node:assert/strict'
import { after, suite, test } from 'node:test'

import { done } from '#shared/domain/outcomes.ts'
import { pause } from '#shared/runtime/backoff.ts'

import { numbered } from '../contract/event-log/fixture.ts'
import { startConsumer } from '../support/event-log-consumer.ts'
import { eventually } from '../support/eventually.ts'
import { startTestBroker } from '../support/kafka/broker.ts'
import { createTopic, withEventLogs } from '../support/kafka/event-logs.ts'
import { checkFlow } from '../support/kafka/flow.ts'

const broker = await startTestBroker()
after(() => broker?.stop())
const timeout = 300_000
const count = 5_000

if (broker)
  suite('while 5,000 keyed events flow, all that is acknowledged is consumed, each key in order,', () => {
    const { faults, proxied } = broker

    if (faults) {
      test('when the broker is killed and restarted on its data', { timeout }, async (context) => {
        const told = await checkFlow(broker.brokers, count, async (flow) => {
          for (const reached of [1_000, 3_000]) {
            await flow.reached(reached)
            await faults.kill()
            await faults.restart()
          }
        })
        context.diagnostic(JSON.stringify(told))
      })

      test('when the broker is away until appends are rejected', { timeout }, async (context) => {
        const told = await checkFlow(broker.brokers, count, async (flow) => {
          await flow.reached(2_000)
          await faults.kill()
          await eventually(() => flow.outages() > 50, 'rejected appends', timeout)
          await faults.restart()
        })
        context.diagnostic(JSON.stringify(told))
      })

      test('when the broker stands still until appends are rejected', { timeout }, async (context) => {
        const told = await checkFlow(broker.brokers, count, async (flow) => {
          await flow.reached(2_000)
          await faults.pause()
          await eventually(() => flow.outages() > 0, 'rejected appends', timeout)
          await faults.resume()
        })
        context.diagnostic(JSON.stringify(told))
      })
    }

    if (proxied)
      test('when connections drop again and again', { timeout }, async (context) => {
        const told = await checkFlow(proxied.brokers, count, async (flow) => {
          for (let reached = 500; reached < count; reached += 500) {
            await flow.reached(reached)
            proxied.drop()
          }
        })
        context.diagnostic(JSON.stringify(told))
      })
  })

if (broker?.faults) {
  const { brokers, faults } = broker
  test('a deadline ends a stop that waits for a broker that stands still', { timeout }, () =>
    withEventLogs(brokers, async (open) => {
      const log = open()
      const topic = await createTopic(log)
      await log.append(numbered(topic, 1))
      const gate = Promise.withResolvers<undefined>()
      const handle = () => gate.promise.then(() => done)
      const consumer = startConsumer(log, { topics: [topic], handle })
      await consumer.saw(1)
      await faults.pause()
      try {
        const stopped = consumer.stop()
        gate.resolve(undefined)
        // Long enough for the commit to be under way.
        await pause(500)
        const startedAt = performance.now()
        await Promise.all([stopped, consumer.abandon()])
        assert.ok(performance.now() - startedAt < 2_000, `${performance.now() - startedAt} ms`)
      } finally {
        await faults.resume()
      }
    }),
  )
}
