import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'

import { problemCodes, problemTable } from '../../services/api/problems.ts'

const expectedRows = problemCodes.map((code) => {
  const { status, title, remedy } = problemTable[code]
  return `| \`${code}\` | ${status} | ${title} | ${remedy} |`
})

test('docs/errors.md has a row for each code, as the table in the code says it, and no other', () => {
  const rows = readFileSync('docs/errors.md', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
  assert.deepEqual(rows, expectedRows, `the rows should be:\n${expectedRows.join('\n')}`)
})
