import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { suite, test } from 'node:test'

import { OutageError, SetupError } from '#shared/ports/failures.ts'

import { readAll, startConsumer } from '../../../support/event-log-consumer.ts'
import { createTestTopic, testTopic as topic, withEventLogFile } from '../../../support/event-log-file.ts'

const isSetupError = (pattern: RegExp) => (error: unknown) => error instanceof SetupError && pattern.test(error.message)
const record = (value: string) => ({ topic, key: 'a', value })

suite('the file of an event log', () => {
  test('a file of a newer version is refused with what to do', () =>
    withEventLogFile(async ({ path, open }) => {
      await open().close()
      const database = new DatabaseSync(path)
      database.exec('PRAGMA user_version = 99')
      database.close()
      assert.throws(() => open(), isSetupError(/newer version \(format 99/))
    }))

  test('a database of another program is refused and left as it is', () =>
    withEventLogFile(async ({ path, open }) => {
      await mkdir(dirname(path))
      const database = new DatabaseSync(path)
      database.exec('CREATE TABLE theirs (a)')
      assert.throws(() => open(), isSetupError(/another program/))
      assert.deepEqual({ ...database.prepare('PRAGMA journal_mode').get() }, { journal_mode: 'delete' })
      database.close()
    }))

  test('a file that is no database is refused', () =>
    withEventLogFile(async ({ path, open }) => {
      await mkdir(dirname(path))
      await writeFile(path, 'a letter, not a database. '.repeat(100))
      assert.throws(() => open(), isSetupError(/is not a database/))
    }))

  test('a directory that can not be made is refused', () =>
    withEventLogFile(async ({ path, open }) => {
      await writeFile(dirname(path), '')
      assert.throws(() => open(), isSetupError(/can not be created: (EEXIST|ENOTDIR)/))
    }))

  test('a file that another process writes to is waited for', () =>
    withEventLogFile(async ({ path, open }) => {
      const log = open()
      await createTestTopic(log)
      const other = new DatabaseSync(path)
      other.exec('BEGIN IMMEDIATE')
      await assert.rejects(log.append([record('0')]), OutageError)
      const later = log.append([record('1')])
      other.exec('COMMIT')
      await later
      other.close()
      assert.deepEqual(
        (await readAll(log, topic)).map(({ value }) => value),
        ['1'],
      )
    }))

  test("records older than their topic's retention are removed, and offsets go on rising", () =>
    withEventLogFile(async ({ open }) => {
      let time = new Date('2026-01-01T00:00:00Z')
      const log = open({ now: () => time })
      await createTestTopic(log)
      await log.append([record('0'), record('1')])
      const [, last] = await readAll(log, topic)
      time = new Date('2026-01-07T23:00:00Z')
      await log.append([record('2')])
      assert.equal((await readAll(log, topic)).length, 3)
      time = new Date('2026-01-08T01:00:00Z')
      await log.append([record('3')])
      const left = await readAll(log, topic)
      assert.deepEqual(
        left.map(({ value }) => value),
        ['2', '3'],
      )
      assert.ok(Number(left[0]?.offset) > Number(last?.offset))
    }))

  test('closing ends readers and consumers', () =>
    withEventLogFile(async ({ open }) => {
      const log = open()
      await createTestTopic(log)
      const { signal } = new AbortController()
      const reading = Array.fromAsync(await log.read({ topics: [topic], from: 'start', follow: true, signal }))
      const consumer = startConsumer(log, { topics: [topic], handle: () => new Promise(() => undefined) })
      await log.append([record('0')])
      await consumer.saw(1)
      await log.close()
      await consumer.ended
      assert.equal((await reading).length, 1)
    }))
})
