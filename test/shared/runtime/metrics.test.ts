import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { suite, test } from 'node:test'
import { promisify } from 'node:util'

import { openMetrics } from '#shared/runtime/metrics.ts'

const readFigure = (text: string, name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])

suite('openMetrics', () => {
  test('tells of the process, and how late its event loop was since the last scrape', async () => {
    const registry = openMetrics()
    await registry.metrics()
    const blockedUntil = performance.now() + 60
    while (performance.now() < blockedUntil);
    await new Promise((resolve) => setImmediate(resolve))
    await new Promise((resolve) => setImmediate(resolve))
    const text = await registry.metrics()
    assert.ok(readFigure(text, 'process_cpu_seconds_total') > 0)
    assert.ok(readFigure(text, 'nodejs_eventloop_lag_max_seconds') >= 0.05)
    for (const figure of ['mean', 'p50', 'p99'])
      assert.ok(readFigure(text, `nodejs_eventloop_lag_${figure}_seconds`) >= 0, figure)
    assert.ok(readFigure(await registry.metrics(), 'nodejs_eventloop_lag_max_seconds') < 0.05)
  })

  test('is empty without the defaults', async () => {
    assert.equal((await openMetrics({ defaults: false }).metrics()).trim(), '')
  })

  test('keeps no process alive', async () => {
    const program = `import { openMetrics } from '#shared/runtime/metrics.ts'; openMetrics()`
    await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program], { timeout: 10_000 })
  })
})
