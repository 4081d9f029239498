import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'

import { kafkaMetrics } from '#shared/adapters/kafka/metrics.ts'
import { exportChecks } from '#shared/runtime/health.ts'
import { openMetrics } from '#shared/runtime/metrics.ts'
import { apiMetrics } from '../../services/api/metrics.ts'
import { dispatcherMetrics } from '../../services/scan-dispatcher/metrics.ts'
import { watcherMetrics } from '../../services/upload-watcher/metrics.ts'

const page = readFileSync('docs/metrics.md', 'utf8')

const services: Record<string, (registry: ReturnType<typeof openMetrics>) => unknown> = {
  'upload-watcher': watcherMetrics,
  api: apiMetrics,
  'scan-dispatcher': (registry) => dispatcherMetrics(registry, () => ({ inHand: 0, waiting: 0 })),
  'Every service': (registry) => exportChecks(registry, () => []),
  'The event log on Kafka': (registry) => kafkaMetrics(registry, new Set()),
}

for (const [name, register] of Object.entries(services)) {
  test(`docs/metrics.md has a row for each metric of ${name}, as the code says it, and no other`, () => {
    const registry = openMetrics({ defaults: false })
    register(registry)
    const rows = registry.getMetricsAsArray().map((metric) => {
      // Every metric of prom-client has them, but its types tell nothing of it.
      const { labelNames } = metric as unknown as { labelNames: string[] }
      const labels = labelNames.filter((label) => label !== 'le').map((label) => `\`${label}\``)
      return [`\`${metric.name}\``, metric.type, labels.join(', ') || '-', metric.help].join(' | ')
    })
    const section = new RegExp(`^## ${name}$([^]*?)(?=^## |$(?![^]))`, 'm').exec(page)?.[1] ?? ''
    const told = [...section.matchAll(/^\| (`\w+_\w+`.*?) *\|$/gm)].map(([, row = '']) =>
      row.replaceAll(/ *\| */g, ' | '),
    )
    assert.deepEqual(told, rows, `the rows should be:\n${rows.map((row) => `| ${row} |`).join('\n')}`)
  })
}
