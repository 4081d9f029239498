import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, test, type TestContext } from 'node:test'

import { eventLogVariables, openEventLog } from '#shared/adapters/event-log.ts'
import { topics } from '#shared/domain/resources.ts'
import type { EventLog } from '#shared/ports/event-log.ts'
import { readConfig } from '#shared/runtime/config.ts'

import { eventually } from '../support/eventually.ts'
import { startTestBroker, type TestBroker } from '../support/kafka/broker.ts'
import { startProcess, temporaryDirectory } from '../support/local-system.ts'

const directory = temporaryDirectory()
const storePath = join(directory.path, 'images.sqlite')
const patienceMs = 60_000
let broker: TestBroker | undefined
let log: EventLog

before(async () => {
  broker = await startTestBroker()
  if (!broker) return
  log = openEventLog(readConfig(eventLogVariables, { EVENT_LOG: 'kafka', KAFKA_BROKERS: broker.brokers }))
  await log.ensureTopics(topics)
})
after(async () => {
  if (broker) await log.close()
  await broker?.stop()
  directory.remove()
})

const startConsumer = (brokers: string, t: TestContext) => {
  const started = startProcess('examples/consumer.ts', [], { KAFKA_BROKERS: brokers, STORE: storePath })
  t.after(() => started.child.kill('SIGKILL'))
  return started
}

const countImages = (userId: string) => {
  const store = new DatabaseSync(storePath)
  try {
    return Number(store.prepare('SELECT count(*) AS count FROM images WHERE user_id = ?').get(userId)?.['count'] ?? 0)
  } catch {
    return 0 // The consumer has not made its table yet, or is writing.
  } finally {
    store.close()
  }
}

test('the example consumer stores each event once, through repeats, garbage and a kill', async (t) => {
  if (!broker) {
    t.skip('there is no broker')
    return
  }
  const userId = randomUUID()
  const eventOf = (id: string) =>
    JSON.stringify({
      id: `${userId} ${id}`,
      type: 'image.uploaded',
      data: { user_id: userId, cdn_url: `https://cdn.example.com/${id}` },
    })
  const publish = (values: string[]) =>
    log.append(values.map((value, index) => ({ topic: 'image.uploaded', key: `key ${index % 3}`, value })))

  const first = startConsumer(broker.brokers, t)
  await publish([eventOf('1'), 'no JSON', eventOf('2'), eventOf('1'), '{"id":null}', '', eventOf('3')])
  await eventually(() => countImages(userId) === 3, 'three images', patienceMs)
  assert.match(first.output(), /partition \d+, offset \d+: no event, passed over/)
  first.child.kill('SIGKILL')
  await first.ended

  const second = startConsumer(broker.brokers, t)
  await publish([eventOf('2'), eventOf('4'), eventOf('4'), eventOf('5')])
  await eventually(() => countImages(userId) === 5, 'five images', patienceMs)
  second.child.kill('SIGTERM')
  assert.equal(await second.ended, 0, second.output())
  assert.equal(countImages(userId), 5)
})
