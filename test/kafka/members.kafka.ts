import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, suite, test } from 'node:test'

import { openMetrics } from '#shared/runtime/metrics.ts'
import { kafkaEventLog } from '#shared/adapters/kafka/event-log.ts'
import { done, reject } from '#shared/domain/outcomes.ts'

import { numbered } from '../contract/event-log/fixture.ts'
import { firstSights, readAll, startConsumer, valuesByKey } from '../support/event-log-consumer.ts'
import { eventually } from '../support/eventually.ts'
import { startTestBroker } from '../support/kafka/broker.ts'
import { createTopic, withEventLogs } from '../support/kafka/event-logs.ts'

const broker = await startTestBroker()
after(() => broker?.stop())
const patienceMs = 60_000

const startMemberProcess = (brokers: string, topic: string, group: string) => {
  const script = new URL('../support/kafka/member-process.ts', import.meta.url).pathname
  const child = spawn(process.execPath, [script, brokers, topic, group], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  const closed = once(child, 'close')
  return {
    lines: () => output.split('\n').slice(0, -1),
    kill: async () => {
      child.kill('SIGKILL')
      await closed
    },
  }
}

if (broker)
  suite('members of a group on Kafka', () => {
    test('a member process that is killed in mid-work loses nothing, and the next go on in order', () =>
      withEventLogs(broker.brokers, async (open) => {
        const log = open()
        const topic = await createTopic(log, 3)
        await log.append(numbered(topic, 3_000, 20))
        const printed: string[] = []
        for (const enough of [300, 900]) {
          const member = startMemberProcess(broker.brokers, topic, topic)
          await eventually(() => member.lines().length >= enough, 'a member process at work', patienceMs)
          await member.kill()
          printed.push(...member.lines())
        }
        const last = startConsumer(log, { topics: [topic], group: topic, concurrency: 4 })
        const all = () => new Set([...printed, ...last.values()]).size
        await eventually(() => all() === 3_000, 'all records being handled', patienceMs)
        await last.stop()

        const records = new Map((await readAll(log, topic)).map((record) => [record.value, record]))
        const handled = [...printed, ...last.values()].flatMap((value) => records.get(value) ?? [])
        for (const values of Object.values(valuesByKey(firstSights(handled))))
          assert.deepEqual(
            values,
            [...values].sort((one, other) => Number(one) - Number(other)),
          )
      }))

    test('members that come and go in mid-work handle everything, and share it', () =>
      withEventLogs(broker.brokers, async (open) => {
        const log = open()
        const topic = await createTopic(log, 6)
        const options = { topics: [topic], group: topic, concurrency: 8 }
        const members = [startConsumer(open(), options)]
        let appended = 0
        const appendMore = async () => {
          await log.append(numbered(topic, 100, 50, appended))
          appended += 100
        }
        const isSeenBy = (member: ReturnType<typeof startConsumer>) => {
          const before = member.seen.length
          const isSeen = () => appendMore().then(() => member.seen.length > before)
          return eventually(isSeen, 'records for a member', patienceMs)
        }
        for (let round = 0; round < 3; round++) {
          members.push(startConsumer(open(), options))
          for (const member of members.slice(-2)) await isSeenBy(member)
          await members.at(-2)?.stop()
        }
        const seen = () => members.flatMap((member) => member.seen)
        const distinct = () => new Set(seen().map(({ value }) => value)).size
        await eventually(() => distinct() === appended, 'all records being handled', patienceMs)
        await Promise.all(members.map((member) => member.stop()))
      }))

    test('metrics tell of partitions, lag, heartbeat and dead letters; readiness of the assignment', async () => {
      const registry = openMetrics({ defaults: false })
      const log = kafkaEventLog({ KAFKA_BROKERS: [broker.brokers] }, { registry })
      const topic = await createTopic(log, 2)
      assert.equal(await log.problem(), undefined)
      await log.append(numbered(topic, 10, 10))
      const slow = Promise.withResolvers<undefined>()
      const handle = async ({ value }: { value: string }) => {
        if (value === '0') return reject('it is a test')
        if (value !== '9') return done
        await slow.promise
        return done
      }
      const consumer = startConsumer(log, { topics: [topic], group: 'metrics', concurrency: 10, handle })
      assert.match((await log.problem()) ?? '', /the group metrics/)
      await consumer.saw(10)
      await eventually(async () => {
        const text = await registry.metrics()
        const lags = [...text.matchAll(/event_log_lag_records\{.*\} (\d+)/g)].map(([, lag]) => Number(lag))
        return text.includes(`event_log_dead_letters_total{topic="${topic}.dead-letter"} 1`) && lags.includes(1)
      }, 'a lag of one and a dead letter')
      const text = await registry.metrics()
      assert.match(text, /event_log_assigned_partitions\{group="metrics"\} 2/)
      assert.match(text, /event_log_last_heartbeat_timestamp_seconds\{group="metrics"\} \d{10}/)
      assert.equal(await log.problem(), undefined)
      slow.resolve(undefined)
      await consumer.stop()
      await log.close()
    })
  })
