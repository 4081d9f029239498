import { Counter, type Histogram, type Registry } from 'prom-client'

// prom-client writes and looks up the labels at each count. What is counted at each request is kept here in plain numbers,
// and gets its labels when it is scraped.

type About<Label> = { name: string; help: string; labelNames: Label; registry: Registry }

/** Counts one more of what two labels name. */
export type Tally = (first: string, second: string | number) => void

/** A counter by two labels. */
export const openTally = ({ name, help, labelNames, registry }: About<[string, string]>): Tally => {
  const counts = new Map<string, Map<string | number, number>>()
  new Counter({
    name,
    help,
    labelNames,
    registers: [registry],
    collect() {
      for (const [first, bySecond] of counts)
        for (const [second, count] of bySecond) this.labels(first, String(second)).inc(count)
      counts.clear()
    },
  })
  return (first, second) => {
    let bySecond = counts.get(first)
    if (!bySecond) counts.set(first, (bySecond = new Map<string | number, number>()))
    bySecond.set(second, (bySecond.get(second) ?? 0) + 1)
  }
}

/** Notes that what the label names took so long. */
export type ObserveDuration = (label: string, seconds: number) => void

/** How many fell under each bound and above the one before it, last those above all; and how long they took together. */
type Durations = { counts: number[]; sum: number }

/** A histogram by one label; the bounds are in seconds, and rise. */
export const openDurations = (about: About<[string]> & { bounds: readonly number[] }): ObserveDuration => {
  const { name, help, labelNames, registry, bounds } = about
  const [labelName] = labelNames
  const found = new Map<string, Durations>()
  const type = 'histogram'
  const metric = {
    ...{ name, help, type, labelNames, aggregator: 'sum' },
    get: () => {
      const values = [...found].flatMap(([label, durations]) => {
        return describeDurations(name, { [labelName]: label }, bounds, durations)
      })
      return Promise.resolve({ name, help, type, aggregator: 'sum', values })
    },
    reset: () => found.clear(),
  }
  // A registry asks no more of a metric than this; the type is that of prom-client's own classes.
  registry.registerMetric(metric as unknown as Histogram)
  return (label, seconds) => {
    let durations = found.get(label)
    if (!durations) found.set(label, (durations = { counts: Array<number>(bounds.length + 1).fill(0), sum: 0 }))
    let index = 0
    for (const bound of bounds) {
      if (seconds <= bound) break
      index++
    }
    durations.counts[index] = (durations.counts[index] ?? 0) + 1
    durations.sum += seconds
  }
}

/** Source: Prometheus, "Exposition formats": the buckets of a histogram are cumulative. */
const describeDurations = (
  name: string,
  labels: Record<string, string>,
  bounds: readonly number[],
  { counts, sum }: Durations,
) => {
  let total = 0
  const buckets = counts.map((count, index) => ({
    metricName: `${name}_bucket`,
    labels: { le: bounds[index] ?? '+Inf', ...labels },
    value: (total += count),
  }))
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: total },
  ]
}
