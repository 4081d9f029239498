import { monitorEventLoopDelay } from 'node:perf_hooks'

import { collectDefaultMetrics, Gauge, Registry } from 'prom-client'

// prom-client watches the event loop by a timer of 10 ms, which costs an idle process 0.65 % of a core, and its figures
// contain those 10 ms. Node can take a sample per turn of the loop instead: no timer, and 0 when nothing is late.
const noTimerMs = 3_600_000
const lagFigures = ['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99'] as const

/** A registry of metrics; with the process's own (CPU, memory, event loop, GC) unless `defaults` is false. */
export const openMetrics = ({ defaults = true }: { defaults?: boolean } = {}): Registry => {
  const registry = new Registry()
  if (!defaults) return registry
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: noTimerMs })
  for (const figure of lagFigures) registry.removeSingleMetric(`nodejs_eventloop_lag_${figure}_seconds`)
  watchEventLoop(registry)
  return registry
}

const watchEventLoop = (registry: Registry) => {
  const lag = monitorEventLoopDelay({ samplePerIteration: true })
  lag.enable()
  const gauge = (figure: string, about: string, read: () => number) =>
    new Gauge({
      name: `nodejs_eventloop_lag_${figure}_seconds`,
      help: `${about} of how late a turn of the event loop was, since the last scrape.`,
      registers: [registry],
      collect() {
        this.set(lag.count === 0 ? 0 : read() / 1e9)
      },
    })
  gauge('mean', 'Mean', () => lag.mean)
  gauge('p50', 'Median', () => lag.percentile(50))
  gauge('p99', '99th percentile', () => lag.percentile(99))
  gauge('max', 'Maximum', () => {
    const { max } = lag
    lag.reset()
    return max
  })
}
