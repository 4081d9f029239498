import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'

import { deadLetterOf } from '#shared/adapters/record-handling.ts'
import { eventLogVariables, openEventLog } from '#shared/adapters/event-log.ts'
import { redriveCountName } from '#shared/domain/redrive.ts'
import type { LogRecord } from '#shared/ports/event-log.ts'
import { readConfig } from '#shared/runtime/config.ts'

import { startTestBroker, type TestBroker } from '../support/kafka/broker.ts'
import { runTool } from '../support/run-tool.ts'

const topic = 'image.uploaded'
const letters = 250
let broker: TestBroker | undefined

before(async () => {
  broker = await startTestBroker()
})
after(() => broker?.stop())

const environmentOf = ({ brokers }: TestBroker) => ({ EVENT_LOG: 'kafka', KAFKA_BROKERS: brokers })

test('topics makes on a real broker what it says is missing, and then has nothing to do', async (t) => {
  if (!broker) {
    t.skip('there is no broker')
    return
  }
  const environment = environmentOf(broker)
  const made = await runTool('topics', [], environment)
  assert.equal(made.code, 0, made.output)
  for (const args of [[], ['--check'], ['--dry-run']]) {
    const { code, output } = await runTool('topics', args, environment)
    assert.equal(code, 0, output)
    assert.match(output, /nothing to do: all topics are as they should be/)
  }
})

test('redrive puts dead letters back on a real broker, each once and in order', async (t) => {
  if (!broker) {
    t.skip('there is no broker')
    return
  }
  const environment = environmentOf(broker)
  const log = openEventLog(readConfig(eventLogVariables, environment))
  t.after(() => log.close())
  const run = randomUUID()
  const recordOf = (index: number): LogRecord => ({
    topic,
    partition: 0,
    offset: String(index),
    key: `${run} ${index % 7}`,
    value: `value ${index}`,
    headers: { own: 'header' },
    appendedAt: new Date(),
  })
  const failure = { reason: `the run "${run}" did not like it`, attempts: 5 }
  await log.append(Array.from({ length: letters }, (_, index) => deadLetterOf(recordOf(index), failure, new Date())))

  const redrive = (...args: string[]) => runTool('redrive', [topic, ...args], environment)
  assert.match((await redrive('--dry-run')).output, /would be put back, but this is a dry run/)
  const first = await redrive()
  assert.equal(first.code, 0, first.output)
  assert.match(first.output, new RegExp(`^ +${letters} {2}since .* the run "\\.\\.\\." did not like it`, 'm'))
  assert.match((await redrive()).output, /nothing to do: nothing waits in image\.uploaded\.dead-letter/)

  const { signal } = new AbortController()
  const records = await Array.fromAsync(await log.read({ topics: [topic], from: 'start', follow: false, signal }))
  const own = records.filter(({ key }) => key.startsWith(run))
  assert.equal(own.length, letters)
  assert.deepEqual({ ...own[0]?.headers }, { own: 'header', [redriveCountName]: '1' })
  for (const [key, ofKey] of Map.groupBy(own, (record) => record.key)) {
    const expected = Array.from({ length: letters }, (_, index) => recordOf(index)).filter(
      (record) => record.key === key,
    )
    assert.deepEqual(
      ofKey.map(({ value }) => value),
      expected.map(({ value }) => value),
    )
  }
})
