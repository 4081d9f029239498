import { Counter, type Histogram, type Registry } from 'prom-client'

// prom-client writes and looks up the labels at each count. What is counted at each request is kept here in plain numbers,
// and gets its labels when it is scraped.

type About<Label> = { name: string; help: string; labelNames: Label; registry: Registry }

/** Counts one more of what two labels name; a count of 0 shows that there is nothing yet. */
export type Tally = (first: string, second: string | number, count?: number) => void

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
  return (first, second, count = 1) => {
    let bySecond = counts.get(first)
    if (!bySecond) counts.set(first, (bySecond = new Map<string | number, number>()))
    bySecond.set(second, (bySecond.get(second) ?? 0) + count)
  }
}

/** Notes that what the label names took so long. */
export type ObserveDuration = (label: string, seconds: number) => void

/** How many fell under each bound and above the one before it, last those above all; and how long they took together. */
type Durations = { counts: number[]; sum: number }

type HistogramOptions = { name: string; help: string; bounds: readonly number[]; registry: Registry }

/** A histogram by one label; the bounds are in seconds, and rise. */
export const openDurations = ({ labelName, ...about }: HistogramOptions & { labelName: string }): ObserveDuration => {
  const { bounds } = about
  const found = new Map<string, Durations>()
  register(about, [labelName], {
    reset: () => found.clear(),
    describe: () => [...found].flatMap(([label, durations]) => describe(about, { [labelName]: label }, durations)),
  })
  return (label, seconds) => {
    let durations = found.get(label)
    if (!durations) found.set(label, (durations = noDurations(bounds)))
    observe(durations, bounds, seconds)
  }
}

/** A histogram without labels, which is there before anything is observed. */
export const openDuration = (about: HistogramOptions): ((seconds: number) => void) => {
  const { bounds } = about
  let durations = noDurations(bounds)
  register(about, [], {
    reset: () => (durations = noDurations(bounds)),
    describe: () => describe(about, {}, durations),
  })
  return (seconds) => observe(durations, bounds, seconds)
}

const noDurations = (bounds: readonly number[]): Durations => ({
  counts: Array<number>(bounds.length + 1).fill(0),
  sum: 0,
})

const observe = (durations: Durations, bounds: readonly number[], seconds: number) => {
  let index = 0
  for (const bound of bounds) {
    if (seconds <= bound) break
    index++
  }
  durations.counts[index] = (durations.counts[index] ?? 0) + 1
  durations.sum += seconds
}

type Value = { metricName: string; labels: Record<string, string | number>; value: number }

const register = (
  { name, help, registry }: HistogramOptions,
  labelNames: readonly string[],
  { reset, describe }: { reset: () => void; describe: () => Value[] },
) => {
  const about = { name, help, type: 'histogram', aggregator: 'sum' }
  const metric = { ...about, labelNames, get: () => Promise.resolve({ ...about, values: describe() }), reset }
  // A registry asks no more of a metric than this; the type is that of prom-client's own classes.
  registry.registerMetric(metric as unknown as Histogram)
}

/** Source: Prometheus, "Exposition formats": the buckets of a histogram are cumulative. */
const describe = (
  { name, bounds }: HistogramOptions,
  labels: Record<string, string>,
  { counts, sum }: Durations,
): Value[] => {
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
