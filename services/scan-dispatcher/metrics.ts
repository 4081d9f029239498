import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

import {
  cancelOutcomes,
  dispatchOutcomes,
  type CancelOutcome,
  type DeadLettered,
  type DispatchOutcome,
} from '#shared/domain/outcomes.ts'

/**
 * Of each topic's records, taken = the sum of the outcomes + abandoned + in hand. A process that dies takes what it had in
 * hand along: another takes it again.
 */
export type DispatcherMetrics = {
  taken: (topic: string) => void
  uploaded: (outcome: DispatchOutcome | DeadLettered, delayMs?: number) => void
  deleted: (outcome: CancelOutcome | DeadLettered) => void
  /** A record went back to the log: its partition is another member's, or the time to finish was over. */
  abandoned: (topic: string) => void
}

/** What is in hand of the topics now; `waiting` is the part that waits for a service that is away. */
export type InHand = () => { inHand: number; waiting: number }

const delaySeconds = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 21_600, 86_400]

export const dispatcherMetrics = (registry: Registry, countInHand: InHand): DispatcherMetrics => {
  const registers = [registry]
  const counter = (name: string, help: string, label: string, values: readonly string[]) => {
    const made = new Counter({ name, help, labelNames: [label], registers })
    // What was never counted would else be absent, and look like a metric that is gone.
    for (const value of values) made.inc({ [label]: value }, 0)
    return (value: string) => made.inc({ [label]: value })
  }
  const topics = ['image.uploaded', 'image.deleted']
  const taken = counter(
    'image_intake_dispatch_taken_total',
    'Records taken in hand, repeats included.',
    'topic',
    topics,
  )
  const abandoned = counter('image_intake_dispatch_abandoned_total', 'Records given back to the log.', 'topic', topics)
  const scans = counter(
    'image_intake_scans_total',
    'image.uploaded events by outcome; passed are those of which no job is wanted.',
    'outcome',
    [...dispatchOutcomes, 'dead_lettered'],
  )
  const cancels = counter(
    'image_intake_cancels_total',
    'image.deleted events by outcome; passed are those that cancel nothing.',
    'outcome',
    [...cancelOutcomes, 'dead_lettered'],
  )
  const delay = new Histogram({
    name: 'image_intake_dispatch_delay_seconds',
    help: 'From the upload, as S3 says it in whole seconds, until the queue had accepted the job.',
    buckets: delaySeconds,
    registers,
  })
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read())
      },
    })
  gauge('image_intake_dispatch_in_hand', 'Records in hand now.', () => countInHand().inHand)
  gauge(
    'image_intake_dispatch_waiting',
    'Records in hand that wait for a service that is away.',
    () => countInHand().waiting,
  )
  return {
    taken,
    abandoned,
    uploaded: (outcome, delayMs) => {
      scans(outcome)
      if (delayMs !== undefined) delay.observe(Math.max(0, delayMs / 1000))
    },
    deleted: cancels,
  }
}
