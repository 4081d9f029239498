import { Counter, Gauge, type Registry } from 'prom-client'

import type { NotificationOutcome } from '#shared/domain/outcomes.ts'
import type { QueueMessage } from '#shared/ports/message-queue.ts'

export type WatcherMetrics = {
  received: (message: QueueMessage) => void
  /** A message went back to the queue. */
  released: () => void
  settled: (outcome: NotificationOutcome, reason: string) => void
  gate: (open: boolean) => void
}

export const watcherMetrics = (registry: Registry): WatcherMetrics => {
  const registers = [registry]
  const received = new Counter({
    name: 'image_intake_messages_received_total',
    help: 'Messages received from the uploads queue, repeats included.',
    registers,
  })
  const released = new Counter({
    name: 'image_intake_messages_released_total',
    help: 'Messages given back to the uploads queue.',
    registers,
  })
  const settled = new Counter({
    name: 'image_intake_records_total',
    help: 'Records of notifications by outcome, and by reason where they were rejected or ignored.',
    labelNames: ['outcome', 'reason'],
    registers,
  })
  const paused = new Gauge({
    name: 'image_intake_watcher_paused',
    help: '1 while the watcher waits for a service that is away.',
    registers,
  })
  return {
    received: () => received.inc(),
    released: () => released.inc(),
    settled: (outcome, reason) => settled.inc({ outcome, reason }),
    gate: (open) => paused.set(open ? 0 : 1),
  }
}
