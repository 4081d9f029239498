import { Counter, type Registry } from 'prom-client'

export type DispatcherMetrics = {
  settled: (outcome: 'dispatched' | 'passed') => void
  /** A record met an outage and waits. */
  waited: () => void
}

export const dispatcherMetrics = (registry: Registry): DispatcherMetrics => {
  const settled = new Counter({
    name: 'image_intake_scans_total',
    help: 'image.uploaded events by outcome; passed are those whose purpose asks for no job.',
    labelNames: ['outcome'],
    registers: [registry],
  })
  const waits = new Counter({
    name: 'image_intake_dispatch_waits_total',
    help: 'Tries to dispatch that met a service that is away.',
    registers: [registry],
  })
  return { settled: (outcome) => settled.inc({ outcome }), waited: () => waits.inc() }
}
