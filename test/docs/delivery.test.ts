import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'

import { Registry } from 'prom-client'

import { recentMs } from '#shared/domain/dispatch.ts'
import { jobKeys } from '#shared/domain/job-refs.ts'
import { cancelOutcomes, dispatchOutcomes } from '#shared/domain/outcomes.ts'
import { purposeRules } from '#shared/domain/purposes.ts'
import { planResources, queueNames } from '#shared/domain/resources.ts'
import { remembersMs, sendWithinMs } from '#shared/ports/job-queue.ts'

import { dispatcherMetrics } from '../../services/scan-dispatcher/metrics.ts'

const page = readFileSync('docs/delivery.md', 'utf8')

test('the page names every object of the ledger', () => {
  for (const key of Object.values(jobKeys({ date: '{yyyymmdd}', jobId: '{job_id}' })))
    assert.ok(page.includes(`| \`${key}\``), key)
})

test('the page names every metric of the dispatcher with its labels, and every outcome', () => {
  const registry = new Registry()
  dispatcherMetrics(registry, () => ({ inHand: 0, waiting: 0 }))
  const rows = [...page.matchAll(/^\| `(image_intake_\w+)(?:\{\w+\})?`/gm)].map(([, name]) => name)
  assert.deepEqual(
    rows.sort(),
    registry
      .getMetricsAsArray()
      .map(({ name }) => name)
      .sort(),
  )
  const rowOf = (metric: string) => page.split('\n').find((line) => line.startsWith(`| \`${metric}`)) ?? ''
  for (const outcome of [...dispatchOutcomes, 'dead_lettered'])
    assert.ok(rowOf('image_intake_scans_total').includes(`\`${outcome}\``), outcome)
  for (const outcome of [...cancelOutcomes, 'dead_lettered'])
    assert.ok(rowOf('image_intake_cancels_total').includes(`\`${outcome}\``), outcome)
})

test('the page tells the times that the code has', () => {
  assert.deepEqual([recentMs, sendWithinMs, remembersMs], [240_000, 30_000, 300_000])
  assert.match(page, /event of the last 4 minutes is sent unasked/)
  assert.match(page, /has not left within 30 s never leaves/)
  assert.match(page, /for 5 minutes after the queue accepted a job/)
  const { buckets, queues } = planResources({ bucket: 'images', stateBucket: 'states' }, [])
  const rules = buckets.flatMap(({ lifecycle }) => lifecycle)
  const ledger = rules.find((rule) => 'prefix' in rule && rule.prefix === 'jobs/')
  assert.deepEqual([ledger && 'expireDays' in ledger && ledger.expireDays, purposeRules('scan').keptDays], [31, 30])
  assert.match(page, /removed after 31 days/)
  assert.match(page, /older\nthan 30 days is `expired`/)
  const jobs = queues.find(({ name }) => name === queueNames.jobs)
  assert.deepEqual(jobs?.deadLetters, { queue: queueNames.jobsDeadLetters, maxReceives: 20 })
  assert.match(page, /after 20 receives it lies in `vision-analysis-jobs-dlq\.fifo`/)
})

test('every file that the page names is there', () => {
  for (const [, path = ''] of page.matchAll(/\]\(((?:\.\.\/)?[\w./-]+)\)/g))
    assert.ok(readFileSync(`docs/${path}`).length > 0, path)
})
