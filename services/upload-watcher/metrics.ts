import { Counter, Gauge, type Registry } from 'prom-client'

import type { QueueMessage } from '#shared/ports/message-queue.ts'
import { openDuration, openTally } from '#shared/runtime/tallies.ts'

import { quarantineReasons, type Settled } from './settled.ts'

/**
 * What the watcher counts; docs/metrics.md says what each figure means. Of a message that was received either `settled`
 * or `released` is told, once: so received = settled + released + in hand, in messages and in records.
 */
export type WatcherMetrics = {
  /** A message came, with so many records. One that holds none, or can't be read, counts as one record. */
  received: (message: QueueMessage, records: number) => void
  /** A message is acknowledged: what became of each of its records. */
  settled: (message: QueueMessage, records: readonly Settled[]) => void
  /** A message went back to the queue, whatever became of some of its records. */
  released: (message: QueueMessage) => void
  /** An event is in the log; `eventTime` is what the notification says of when it happened. */
  published: (eventTime: Date | undefined) => void
  /** A record is tried again after a failure of its own. */
  retried: () => void
  /** A message in hand was kept hidden, or could not be. */
  beat: (result: 'done' | 'failed') => void
  gate: (open: boolean) => void
}

const ageBuckets = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 7_200, 43_200, 345_600]
const delayBuckets = [0.05, ...ageBuckets]

export const watcherMetrics = (registry: Registry): WatcherMetrics => {
  const registers = [registry]
  const counter = (name: string, help: string, labelNames: readonly 'result'[] = []) =>
    new Counter({ name: `image_intake_${name}_total`, help, labelNames, registers })
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name: `image_intake_${name}`,
      help,
      registers,
      collect() {
        this.set(read())
      },
    })
  const histogram = (name: string, help: string, bounds: readonly number[]) =>
    openDuration({ name: `image_intake_${name}_seconds`, help, bounds, registry })

  /** How many records each message in hand has. */
  const inHand = new Map<QueueMessage, number>()
  const recordsInHand = () => [...inHand.values()].reduce((sum, count) => sum + count, 0)
  let isPaused = false
  const received = counter('messages_received', 'Messages received from the uploads queue, repeats included.')
  const released = counter('messages_released', 'Messages given back to the uploads queue.')
  gauge('messages_in_hand', 'Messages that are neither acknowledged nor given back yet.', () => inHand.size)
  const records = {
    received: counter('records_received', 'Records in the messages received, repeats included.'),
    settled: openTally({
      name: 'image_intake_records_total',
      help: 'Records of acknowledged messages, by outcome and reason.',
      labelNames: ['outcome', 'reason'],
      registry,
    }),
    released: counter('records_released', 'Records in the messages given back.'),
  }
  gauge('records_in_hand', 'Records in the messages in hand.', recordsInHand)
  const age = histogram('message_age', 'Time from the sending of a message to its receipt.', ageBuckets)
  const delay = histogram('publish_delay', "Time from S3's event to the published event about it.", delayBuckets)
  const retries = counter('record_retries', 'Further tries of records that failed by themselves.')
  const heartbeats = counter('heartbeats', 'Renewals of the hiding of messages in hand.', ['result'])
  const pauses = counter('watcher_pauses', 'How often the watcher began to wait for a service that is away.')
  gauge('watcher_paused', '1 while the watcher waits for a service that is away.', () => (isPaused ? 1 : 0))
  // A series that begins with its first event has risen by nothing: the alert on it would sleep through the first poison.
  for (const reason of quarantineReasons) records.settled('quarantined', reason, 0)
  for (const result of ['done', 'failed']) heartbeats.inc({ result }, 0)

  return {
    received: (message, count) => {
      inHand.set(message, count)
      received.inc()
      records.received.inc(count)
      observeSince(age, message.sentAt)
    },
    settled: (message, all) => {
      inHand.delete(message)
      for (const { outcome, reason = '' } of all) records.settled(outcome, reason)
    },
    released: (message) => {
      records.released.inc(inHand.get(message) ?? 0)
      released.inc()
      inHand.delete(message)
    },
    published: (eventTime) => {
      if (eventTime) observeSince(delay, eventTime)
    },
    retried: () => retries.inc(),
    beat: (result) => heartbeats.inc({ result }),
    gate: (open) => {
      isPaused = !open
      if (isPaused) pauses.inc()
    },
  }
}

/** Clocks differ, so it may lie ahead of ours. A time of 0 is one that nobody told. */
const observeSince = (observe: (seconds: number) => void, moment: Date) => {
  if (moment.getTime() > 0) observe(Math.max(0, Date.now() - moment.getTime()) / 1000)
}
