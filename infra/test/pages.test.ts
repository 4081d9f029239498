import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'

import { writeAccessPage } from '../access-page.ts'
import { pricedOn, writeCostPage } from '../cost.ts'
import { readSettings } from '../settings.ts'

const page = (path: string) => readFileSync(join(import.meta.dirname, '../..', path), 'utf8')
const deploy = page('docs/deploy-aws.md')

/** Rows without the spaces that a formatter puts into them. */
const rowsOf = (lines: readonly string[]) =>
  lines.filter((line) => line.startsWith('|') && !/^[|\s:-]+$/.test(line)).map((line) => line.replace(/\s+/g, ' '))

/** The table of a page that begins with this cell. */
const tableOf = (text: string, first: string) => {
  const lines = text.split('\n')
  const start = lines.findIndex((line) => line.startsWith(`| ${first} `))
  assert.ok(start >= 0, `there is no table that begins with ${first}`)
  const end = lines.findIndex((line, at) => at > start && !line.startsWith('|'))
  return rowsOf(lines.slice(start, end < 0 ? undefined : end))
}

test('docs/deploy-aws.md holds the table of access, as it is generated', () => {
  assert.deepEqual(tableOf(deploy, 'role'), rowsOf(writeAccessPage()))
})

test('docs/deploy-aws.md holds the table of costs, as it is reckoned, and says when', () => {
  assert.deepEqual(tableOf(deploy, 'who'), rowsOf(writeCostPage()))
  assert.ok(deploy.includes(pricedOn))
})

test('infra/README.md has a row for each setting, with its default', () => {
  const told = tableOf(page('infra/README.md'), 'setting').slice(1)
  const names = told.map((row) => /^\| `([\w.]+)`/.exec(row)?.[1])
  const expected = [
    ...['name', 'corsOrigins', 'ticketSeconds', 'rejectedAction', 'noncurrentDays', 'visionWorker'],
    ...['identity.kind', 'identity.namespace', 'identity.cluster', 'identity.provider', 'cdn.domain', 'cdn.logDays'],
    ...['cdn.invalidation', 'alarmTopic', 'mskCluster'],
  ]
  assert.deepEqual(names, expected)
  const { identity, cdn, ...plain } = readSettings({})
  for (const [name, value] of Object.entries({
    ...plain,
    'identity.kind': identity.kind,
    'identity.namespace': identity.namespace,
    'cdn.logDays': cdn.logDays,
    'cdn.invalidation': cdn.invalidation,
  })) {
    const row = told.find((one) => one.startsWith(`| \`${name}\``)) ?? ''
    assert.ok(row.includes(`\`${JSON.stringify(value).replaceAll('"', '')}\``), `${name}: ${row}`)
  }
})
