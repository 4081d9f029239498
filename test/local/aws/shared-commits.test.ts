import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test, type TestContext } from 'node:test'

import { openDatabase } from '../../../local/aws/database.ts'

const open = (context: TestContext) => {
  const directory = mkdtempSync(join(tmpdir(), 'local-aws-'))
  const database = openDatabase(join(directory, 'aws.sqlite'))
  let isOpen = true
  const close = () => {
    if (isOpen) database.close()
    isOpen = false
  }
  context.after(() => {
    close()
    rmSync(directory, { recursive: true })
  })
  database.transaction(() => database.prepare('CREATE TABLE things (name TEXT PRIMARY KEY) STRICT').run())
  const insert = database.prepare('INSERT INTO things VALUES (?)')
  const select = database.prepare<{ name: string }>('SELECT name FROM things ORDER BY name')
  return {
    database,
    close,
    insert: (name: string) => insert.run(name),
    names: () => select.all().map(({ name }) => name),
  }
}

suite('transactions that share a commit', () => {
  test('stand or fall each by itself, and see those before them', async (context) => {
    const { database, insert, names } = open(context)
    const outcomes = await Promise.allSettled([
      database.share(() => insert('a')),
      database.share(() => {
        insert('b')
        insert('a')
      }),
      database.share(names),
      database.share(() => {
        insert('c')
        throw new Error('no')
      }),
      database.share(() => insert('d')),
    ])
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled'],
    )
    assert.deepEqual(outcomes[2], { status: 'fulfilled', value: ['a'] })
    assert.deepEqual(names(), ['a', 'd'])
  })

  test('all fail when the commit does', async (context) => {
    const { database, close, insert } = open(context)
    const both = [database.share(() => insert('a')), database.share(() => insert('b'))]
    close()
    const outcomes = await Promise.allSettled(both)
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['rejected', 'rejected'],
    )
  })

  test('begin anew after one that failed', async (context) => {
    const { database, insert, names } = open(context)
    await assert.rejects(
      database.share(() => {
        throw new Error('no')
      }),
    )
    await database.share(() => insert('a'))
    assert.deepEqual(names(), ['a'])
  })
})
