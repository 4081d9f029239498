import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'

import { purposeNames, purposeRules } from '#shared/domain/purposes.ts'

const page = readFileSync('docs/clients.md', 'utf8')
const spaced = (bytes: number) => String(bytes).replace(/\B(?=(\d{3})+$)/g, ' ')

test('docs/clients.md tells how many bytes a file of each purpose may have', () => {
  for (const purpose of purposeNames) {
    const { minBytes, maxBytes } = purposeRules(purpose)
    assert.ok(page.includes(`files of ${spaced(minBytes)} to ${spaced(maxBytes)} bytes`), purpose)
  }
})
