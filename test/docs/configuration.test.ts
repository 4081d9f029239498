import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'

import { z } from 'zod'

import { eventLogVariables } from '#shared/adapters/event-log.ts'
import type { Variables } from '#shared/runtime/config.ts'
import { processVariables } from '#shared/runtime/run.ts'

import { localVariables } from '../../local/config.ts'
import { apiServiceVariables } from '../../services/api/main.ts'
import { scanDispatcherVariables } from '../../services/scan-dispatcher/main.ts'
import { uploadWatcherVariables } from '../../services/upload-watcher/main.ts'
import { composeVariables } from '../../tools/support/compose-system.ts'
import { reconcileVariables } from '../../tools/support/reconcile-place.ts'
import { provisionVariables, toolVariables, traceVariables } from '../../tools/support/variables.ts'

const readers: Record<string, Variables> = {
  'npm start': { ...processVariables, ...localVariables },
  api: { ...processVariables, ...apiServiceVariables },
  'upload-watcher': { ...processVariables, ...uploadWatcherVariables },
  'scan-dispatcher': { ...processVariables, ...scanDispatcherVariables },
  provision: provisionVariables,
  reconcile: { ...toolVariables, ...reconcileVariables },
  trace: { ...toolVariables, ...traceVariables, ...eventLogVariables },
  'upload, expire, doctor': toolVariables,
  'upload and doctor --compose': composeVariables,
  'events, topics, redrive': { ...toolVariables, ...eventLogVariables },
}

/** What a variable is when it is not set: what its schema makes of undefined. */
const describeDefault = (variables: Variables, name: string) => {
  const parsed = variables[name]?.schema.safeParse(undefined)
  if (!parsed?.success) return 'required'
  const { data } = parsed
  if (data === undefined || (Array.isArray(data) && data.length === 0)) return '-'
  return `\`${JSON.stringify(data).replaceAll('"', '')}\``
}

/** The range of a variable's number, which its schema describes. */
const describeRange = (schema: unknown): string | undefined => {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodOptional) return describeRange(schema.unwrap())
  return schema instanceof z.ZodType ? schema.description : undefined
}

const expectedRows = () => {
  const names = [...new Set(Object.values(readers).flatMap((variables) => Object.keys(variables)))].sort()
  return names.map((name) => {
    const having = Object.entries(readers).filter(([, variables]) => name in variables)
    const defaults = [...new Set(having.map(([, variables]) => describeDefault(variables, name)))]
    const [one] = having.flatMap(([, variables]) => variables[name] ?? [])
    const cells = [
      `\`${name}\``,
      one?.about ?? '',
      [defaults.join(', '), describeRange(one?.schema)].filter((part) => part !== undefined).join('; '),
      `\`${one?.example ?? ''}\``,
      having.map(([reader]) => reader).join(', '),
    ]
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  })
}

test('each number that is read has its range in docs/configuration.md', () => {
  const numbers = expectedRows().filter((row) => /`-?\d+`.*\| `-?\d+` \|/.test(row))
  assert.ok(numbers.length >= 9, `${numbers.length} rows`)
  for (const row of numbers) assert.match(row, /; \d+ (to \d+|or more) \|/)
})

test('docs/configuration.md has a row for each variable, as the schemas say it, and no other', () => {
  const rows = readFileSync('docs/configuration.md', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
  assert.deepEqual(rows, expectedRows(), `the rows should be:\n${expectedRows().join('\n')}`)
})
