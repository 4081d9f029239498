import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

import { Registry } from 'prom-client'
import { parse } from 'yaml'
import { z } from 'zod'

import { kafkaMetrics } from '#shared/adapters/kafka/metrics.ts'
import { exportChecks } from '#shared/runtime/health.ts'
import { openMetrics } from '#shared/runtime/metrics.ts'

import { apiMetrics } from '../../services/api/metrics.ts'
import { dispatcherMetrics } from '../../services/scan-dispatcher/metrics.ts'
import { watcherMetrics } from '../../services/upload-watcher/metrics.ts'

const own = new Registry()
apiMetrics(own)
watcherMetrics(own)
dispatcherMetrics(own, () => ({ inHand: 0, waiting: 0 }))
kafkaMetrics(own, new Set())
exportChecks(own, () => [])

/** The series' names of a registry: those of a histogram have endings. */
const namesOf = (registry: Registry) =>
  registry
    .getMetricsAsArray()
    .flatMap(({ name, type }) =>
      String(type) === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
    )

const ruleSchema = z.object({ alert: z.string(), expr: z.string(), annotations: z.object({ summary: z.string() }) })
const alertsSchema = z.object({ groups: z.array(z.object({ rules: z.array(ruleSchema) })) })
const panelSchema = z.object({
  title: z.string(),
  type: z.string(),
  description: z.string().optional(),
  gridPos: z.object({ x: z.int(), y: z.int(), w: z.int(), h: z.int() }),
  targets: z.array(z.object({ expr: z.string(), legendFormat: z.string() })).default([]),
})
const dashboardSchema = z.object({ uid: z.string(), title: z.string(), panels: z.array(panelSchema) })

const alerts = alertsSchema
  .parse(parse(readFileSync('deploy/monitoring/alerts.yaml', 'utf8')))
  .groups.flatMap(({ rules }) => rules)
const { panels } = dashboardSchema.parse(JSON.parse(readFileSync('deploy/monitoring/dashboard.json', 'utf8')))
const expressions = [
  ...alerts.map(({ expr }) => expr),
  ...panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
]

const functions = new Set(['histogram_quantile', 'min_over_time'])

/** Metrics that an expression names; Prometheus itself makes `up`. */
const metricsIn = (expression: string) =>
  [...expression.replace(/\{[^}]*\}/g, '').matchAll(/\b[a-z]+_[a-z_0-9]+\b/g)]
    .map(([name]) => name)
    .filter((name) => !functions.has(name))

test('alerts and panels ask only for metrics that the code exports', () => {
  const exported = new Set([...namesOf(own), ...namesOf(openMetrics())])
  const asked = expressions.flatMap(metricsIn)
  assert.ok(asked.length > 60, `${asked.length} names were found`)
  for (const name of asked) assert.ok(exported.has(name), `${name} is exported by nobody`)
})

test('every metric of ours stands in a panel, an alert or on the page of the metrics', () => {
  const page = readFileSync('docs/metrics.md', 'utf8')
  const asked = new Set(expressions.flatMap(metricsIn))
  for (const { name } of own.getMetricsAsArray()) {
    const isAsked = [name, `${name}_bucket`].some((each) => asked.has(each))
    assert.ok(isAsked || page.includes(`\`${name}\``), `${name} is named nowhere`)
  }
})

test('labels that alerts and panels select by are those of their metrics', () => {
  const labels = new Map(
    own.getMetricsAsArray().flatMap((metric) => {
      // Every metric of prom-client has them, but its types tell nothing of it.
      const { labelNames } = metric as unknown as { labelNames: string[] }
      return [metric.name, `${metric.name}_bucket`].map((name): [string, string[]] => [name, labelNames])
    }),
  )
  for (const expression of expressions) {
    for (const [, name = '', selector = ''] of expression.matchAll(/([a-z_0-9]+)\{([^}]*)\}/g)) {
      for (const [, label = ''] of selector.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)) {
        if (label !== 'job') assert.ok(labels.get(name)?.includes(label), `${name} has no label ${label}`)
      }
    }
  }
})

test('panels say what they show, and none lies over another', () => {
  const drawn = panels.filter(({ type }) => type !== 'row')
  for (const { title, description, targets } of drawn) {
    assert.ok(description && targets.length > 0, title)
  }
  const taken = new Set<string>()
  for (const { title, gridPos } of panels) {
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        assert.ok(x < 24 && !taken.has(`${x} ${y}`), `${title} lies over another panel`)
        taken.add(`${x} ${y}`)
      }
    }
  }
})

test('every alert has its entry in the runbook', () => {
  const page = readFileSync('docs/operate.md', 'utf8')
  const entries = [...page.matchAll(/^### (\w+)$/gm)].map(([, name]) => name)
  assert.deepEqual(
    entries.filter((name) => alerts.some(({ alert }) => alert === name)),
    alerts.map(({ alert }) => alert),
  )
})
