import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { after, suite, test } from 'node:test'

import { parse } from 'yaml'
import { z } from 'zod'

import { temporaryDirectory } from '../support/local-system.ts'
import { alertCases, well, type AlertCase } from './alert-cases.ts'

const file = resolve('deploy/monitoring/alerts.yaml')
const rulesSchema = z.object({
  groups: z.array(z.object({ rules: z.array(z.object({ alert: z.string(), expr: z.string() })) })),
})
const rules = rulesSchema.parse(parse(readFileSync(file, 'utf8'))).groups.flatMap((group) => group.rules)

/** At 40 minutes every `for` and every window is over. */
const readAt = '38m'

/** promtool's own form of a test; JSON is YAML. */
const describeCase = ({ name, changes, firing }: AlertCase) => ({
  name,
  interval: '30s',
  input_series: Object.entries({ ...well, ...changes }).map(([series, values]) => ({ series, values })),
  promql_expr_test: [
    {
      expr: 'count by (alertname) (ALERTS{alertstate="firing"})',
      eval_time: readAt,
      exp_samples: firing.map((alert) => ({ labels: `{alertname="${alert}"}`, value: 1 })),
    },
  ],
})

test('every alert has a case in which it fires', () => {
  const fired = new Set(alertCases.flatMap(({ firing }) => firing))
  assert.deepEqual(rules.map(({ alert }) => alert).toSorted(), [...fired].toSorted())
})

test('a case changes only series that a system has', () => {
  for (const { name, changes } of alertCases) {
    for (const series of Object.keys(changes)) assert.ok(series in well, `${name}: ${series}`)
  }
})

const promtool = process.env['PROMTOOL'] ?? 'promtool'
const isThere = spawnSync(promtool, ['--version']).status === 0
const skip = isThere ? false : 'promtool is not on the PATH (Debian: the package prometheus)'

suite('by promtool', { skip }, () => {
  const directory = temporaryDirectory()
  after(() => directory.remove())

  const runCases = (cases: readonly AlertCase[]) => {
    const path = join(directory.path, 'cases.json')
    writeFileSync(
      path,
      JSON.stringify({ rule_files: [file], evaluation_interval: '30s', tests: cases.map(describeCase) }),
    )
    const { status, stdout, stderr } = spawnSync(promtool, ['test', 'rules', path], { encoding: 'utf8' })
    return { status, output: stdout + stderr }
  }

  for (const one of alertCases) {
    test(`${one.name}: ${one.firing.join(', ') || 'nothing'} fires, and nothing else`, () => {
      const { status, output } = runCases([one])
      assert.equal(status, 0, output)
    })
  }

  test('what should not fire would be seen', () => {
    const [quiet] = alertCases
    assert.ok(quiet)
    assert.equal(runCases([{ ...quiet, firing: ['ApiSlow'] }]).status, 1)
  })
})
if (skip) process.stdout.write(`# skipped: ${skip}\n`)
