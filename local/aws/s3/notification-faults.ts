import { createHash } from 'node:crypto'

import { z } from 'zod'

/**
 * How badly notifications arrive. S3 promises at least once, in any order: here that can be had at will. What happens to
 * the n-th notification after the settings were made depends on `seed` and n alone.
 */
export type FaultSettings = {
  seed: number
  /** Probability that a notification is sent a second time, as a message of its own. */
  duplicate: number
  /** Each message becomes visible up to so much later. */
  maxDelayMs: number
  /** Each message is delayed by itself, so that later ones overtake. Without it all keep their order. */
  reorder: boolean
}

export type NotificationFaults = {
  settings: () => FaultSettings
  change: (settings: FaultSettings) => void
  /** The delays of the messages that tell of one event to one queue: one, or two. */
  plan: (queue: string, nowMs: number) => number[]
}

/** The longest that SQS itself delays a message. */
const maxDelayMs = 900_000
const defaultShuffleMs = 1000

const schema = z
  .strictObject({
    seed: z.int().default(0),
    duplicate: z.number().min(0).max(1).default(0),
    max_delay_ms: z.int().min(0).max(maxDelayMs).optional(),
    reorder: z.boolean().default(false),
  })
  .refine(({ reorder, max_delay_ms }) => !reorder || max_delay_ms !== 0, {
    path: ['max_delay_ms'],
    message: 'must be above 0 with reorder, which shuffles by delays',
  })

/** Reads settings; what is not named is off. @throws ZodError */
export const parseFaults = (input: unknown): FaultSettings => {
  const { seed, duplicate, reorder, max_delay_ms } = schema.parse(input)
  return { seed, duplicate, reorder, maxDelayMs: max_delay_ms ?? (reorder ? defaultShuffleMs : 0) }
}

export const describeFaults = ({ seed, duplicate, maxDelayMs: max_delay_ms, reorder }: Partial<FaultSettings>) => ({
  seed,
  duplicate,
  max_delay_ms,
  reorder,
})

export const openFaults = (initial: FaultSettings): NotificationFaults => {
  let settings = initial
  let count = 0
  /** By queue: when the last message becomes visible that keeps its order. */
  const lastMs = new Map<string, number>()
  return {
    settings: () => settings,
    change: (wanted) => {
      settings = wanted
      count = 0
    },
    plan: (queue, nowMs) => {
      if (settings.duplicate === 0 && settings.maxDelayMs === 0) return [0]
      const delays = drawDelays(settings, count++)
      if (settings.reorder) return delays
      const visibleMs = delays.map((delayMs) => nowMs + delayMs).sort((a, b) => a - b)
      const ordered = visibleMs.map((ms) => Math.max(ms, lastMs.get(queue) ?? 0))
      lastMs.set(queue, Math.max(...ordered))
      return ordered.map((ms) => ms - nowMs)
    },
  }
}

const drawDelays = ({ seed, duplicate, maxDelayMs }: FaultSettings, index: number): number[] => {
  const digest = createHash('sha256').update(`${seed} ${index}`).digest()
  const draw = (place: number) => digest.readUInt32BE(place * 4) / 2 ** 32
  const delay = (place: number) => Math.floor(draw(place) * (maxDelayMs + 1))
  return draw(0) < duplicate ? [delay(1), delay(2)] : [delay(1)]
}
