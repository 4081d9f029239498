import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, test, type TestContext } from 'node:test'

import { deadLetterOf } from '#shared/adapters/record-handling.ts'
import { sqliteEventLog } from '#shared/adapters/sqlite/event-log.ts'
import { redriveCountName } from '#shared/domain/redrive.ts'
import { topics } from '#shared/domain/resources.ts'
import type { EventLog, LogRecord, NewRecord } from '#shared/ports/event-log.ts'

import { topicLetters } from '../../tools/support/redrive-topic.ts'
import { readOrder, redriveLetters } from '../../tools/support/redrive.ts'
import { temporaryDirectory } from '../support/local-system.ts'

const directory = temporaryDirectory()
after(directory.remove)
const never = new AbortController().signal
const topic = 'image.uploaded'

let opened = 0
const openLog = async (context: TestContext) => {
  const log = sqliteEventLog({ path: join(directory.path, `${opened++}.sqlite`) })
  context.after(() => log.close())
  await log.ensureTopics(topics)
  return log
}

/** A dead letter as the adapters write it. */
const letterOf = (index: number, headers: Record<string, string> = {}): NewRecord => {
  const record: LogRecord = {
    topic,
    partition: index % 12,
    offset: String(index),
    key: `key ${index % 4}`,
    value: `value ${index}`,
    headers: { traceparent: `trace ${index}`, ...headers },
    appendedAt: new Date(0),
  }
  return deadLetterOf(record, { reason: 'the record is not JSON', attempts: 1 }, new Date(index))
}

const manyLetters = (count: number) => Array.from({ length: count }, (_, index) => letterOf(index))

const redrive = (log: EventLog, values: Record<string, string | boolean> = {}) => {
  const order = readOrder({ positionals: [topic], values })
  return redriveLetters(topicLetters(log, order.path, never), order)
}

const readTopic = async (log: EventLog, name = topic) =>
  Array.fromAsync(await log.read({ topics: [name], from: 'start', follow: false, signal: never }))

const countOf = (counts: readonly { count: number }[]) => counts.reduce((sum, { count }) => sum + count, 0)

test('a dead letter comes back with its key, value and own headers, and a count', async (context) => {
  const log = await openLog(context)
  await log.append([letterOf(7)])
  const { redriven } = await redrive(log)
  assert.deepEqual(
    redriven.map(({ reason, count, example }) => [reason, count, example]),
    [['the record is not JSON', 1, 'key 3']],
  )
  const [record, ...others] = await readTopic(log)
  assert.deepEqual(others, [])
  assert.equal(record?.key, 'key 3')
  assert.equal(record.value, 'value 7')
  assert.deepEqual({ ...record.headers }, { traceparent: 'trace 7', [redriveCountName]: '1' })
})

test('letters of one key come back in their order, and a second run sends nothing', async (context) => {
  const log = await openLog(context)
  const letters = manyLetters(250)
  await log.append(letters)
  assert.equal(countOf((await redrive(log)).redriven), 250)
  const byKey = Map.groupBy(await readTopic(log), ({ key }) => key)
  for (const [key, records] of byKey) {
    assert.deepEqual(
      records.map(({ value }) => value),
      letters.filter((letter) => letter.key === key).map(({ value }) => value),
    )
  }
  assert.deepEqual(await redrive(log), { redriven: [], heldBack: [] })
  assert.equal((await readTopic(log)).length, 250)
})

test('a letter that comes after a run is put back by the next one, alone', async (context) => {
  const log = await openLog(context)
  await log.append([letterOf(1)])
  await redrive(log)
  await log.append([letterOf(1), letterOf(2)])
  assert.equal(countOf((await redrive(log)).redriven), 2)
  assert.deepEqual((await readTopic(log)).map(({ value }) => value).sort(), ['value 1', 'value 1', 'value 2'])
})

test('a limit puts back the oldest, and the next run goes on behind them', async (context) => {
  const log = await openLog(context)
  await log.append(manyLetters(10))
  await redrive(log, { limit: '3' })
  assert.deepEqual((await readTopic(log)).map(({ value }) => value).sort(), ['value 0', 'value 1', 'value 2'])
  await redrive(log, { limit: '3' })
  assert.equal((await readTopic(log)).length, 6)
})

test('a dry run changes neither the topic nor its dead letters', async (context) => {
  const log = await openLog(context)
  await log.append(manyLetters(5))
  assert.equal(countOf((await redrive(log, { 'dry-run': true })).redriven), 5)
  assert.deepEqual(await readTopic(log), [])
  assert.equal((await readTopic(log, `${topic}.dead-letter`)).length, 5)
})

test('what came back three times waits, whatever came behind it goes, and --force takes it', async (context) => {
  const log = await openLog(context)
  await log.append([letterOf(0, { [redriveCountName]: '3' }), letterOf(1)])
  const { redriven, heldBack } = await redrive(log)
  assert.deepEqual([countOf(redriven), countOf(heldBack)], [1, 1])
  assert.deepEqual([countOf((await redrive(log)).redriven), countOf((await redrive(log)).heldBack)], [0, 1])
  assert.equal(countOf((await redrive(log, { force: true })).redriven), 1)
  const forced = (await readTopic(log)).find(({ value }) => value === 'value 0')
  assert.equal(forced?.headers[redriveCountName], '4')
  assert.deepEqual(await redrive(log), { redriven: [], heldBack: [] })
})

test('a run that breaks off repeats at most a hundred letters in the next one, and loses none', async (context) => {
  const log = await openLog(context)
  await log.append(manyLetters(250))
  let failAfter = 310 // 100 records, 100 receipts, 100 records, and 10 receipts of the second batch.
  const append: EventLog['append'] = (records) =>
    failAfter-- > 0 ? log.append(records) : Promise.reject(new Error('broken off'))
  await assert.rejects(redrive({ ...log, append }), /broken off/)
  await redrive(log)
  const values = (await readTopic(log)).map(({ value }) => value)
  assert.equal(new Set(values).size, 250)
  assert.ok(values.length > 250 && values.length <= 350, `${values.length} records`)
})

test('a run that is interrupted while it still looks for what waits puts nothing back', async (context) => {
  const log = await openLog(context)
  await log.append(manyLetters(5))
  await redrive(log)
  const { path, ...order } = readOrder({ positionals: [topic], values: {} })
  const source = topicLetters(log, path, AbortSignal.abort())
  assert.deepEqual(await redriveLetters(source, order), { redriven: [], heldBack: [] })
  assert.equal((await readTopic(log)).length, 5)
})
