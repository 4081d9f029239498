import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'

import { imageTypes } from '#shared/domain/images/image-types.ts'

import { problemCodes, problemTable } from '../../services/api/problems.ts'
import { openTestApi } from '../support/api.ts'

const page = readFileSync('docs/errors.md', 'utf8')
const { request, askTicket } = await openTestApi()
const good = { purpose: 'scan', content_type: 'image/jpeg', content_length: 5 }

/** What stands in a cell reads as text, not as the end of the cell or as HTML. Source: GitHub Flavored Markdown. */
const cell = (text: string) => text.replaceAll(/[|<]/g, '\\$&')

const expectedRows = problemCodes.map((code) => {
  const { status, title, remedy } = problemTable[code]
  return `| \`${code}\` | ${status} | ${cell(title)} | ${cell(remedy)} |`
})

test('docs/errors.md has a row for each code, as the table in the code says it, and no other', () => {
  const rows = page.split('\n').filter((line) => line.startsWith('| `'))
  assert.deepEqual(rows, expectedRows, `the rows should be:\n${expectedRows.join('\n')}`)
})

test('the document that docs/errors.md shows is what the API answers', async () => {
  const { json } = await askTicket({ ...good, content_length: 0, filename: 'a.jpg' })
  const shown: unknown = JSON.parse(/```json\n([^`]*)```/.exec(page)?.[1] ?? '')
  assert.ok(typeof shown === 'object' && shown !== null && 'request_id' in shown)
  assert.ok(typeof json === 'object' && json !== null && 'request_id' in json)
  assert.deepEqual(shown, { ...json, request_id: shown.request_id })
})

test('docs/errors.md lists the types that a 415 lists', async () => {
  const { text } = await askTicket({ ...good, content_type: 'text/plain' })
  assert.ok(text.includes(imageTypes.join(', ')), text)
  assert.ok(page.includes(imageTypes.map((type) => `\`${type}\``).join(', ')))
})

test('docs/errors.md names the headers of a 401 and a 405', async () => {
  const unknown = await request('GET', '/images/x/metadata', { token: '' })
  const misrouted = await request('PUT', '/healthz')
  assert.ok(page.includes(`A ${unknown.status} has \`WWW-Authenticate: ${unknown.headers.get('www-authenticate')}\``))
  assert.ok(misrouted.headers.has('allow') && page.includes(`A ${misrouted.status} has \`Allow\``))
})
