import { performance } from 'node:perf_hooks'

import type { LogRecord } from '#shared/ports/event-log.ts'

type Held = { since: number; isWaiting: boolean; release: () => void }

/** A record takes some hundred milliseconds, of which most are spent waiting for its batch. */
const longestMs = 5_000

/** The records that are handled now, through all their tries, and which of them wait for a service that is away. */
export const recordsInHand = (nowMs = () => performance.now()) => {
  // A Map keeps the order of insertion.
  const held = new Map<LogRecord, Held>()

  /** False when it is not in hand any more. */
  const drop = (record: LogRecord): boolean => {
    held.get(record)?.release()
    return held.delete(record)
  }
  return {
    /** True at the record's first try; at a later one it waits no more. `onAbandon`: it was still in hand when its signal aborted. */
    take: (record: LogRecord, signal: AbortSignal, onAbandon: () => void): boolean => {
      const known = held.get(record)
      if (known) {
        known.isWaiting = false
        return false
      }
      const abandon = () => {
        if (drop(record)) onAbandon()
      }
      signal.addEventListener('abort', abandon)
      const release = () => signal.removeEventListener('abort', abandon)
      held.set(record, { since: nowMs(), isWaiting: false, release })
      return true
    },
    wait: (record: LogRecord): void => {
      const one = held.get(record)
      if (one) one.isWaiting = true
    },
    drop,
    /** Why the dispatcher is not ready: a record stays in hand, which a service that answers probes alone may cause. */
    problem: (): string | undefined => {
      const [oldest] = held.values()
      const ms = oldest ? nowMs() - oldest.since : 0
      return ms > longestMs ? `one is in hand since ${Math.round(ms / 1000)} s` : undefined
    },
    count: () => ({ inHand: held.size, waiting: [...held.values()].filter(({ isWaiting }) => isWaiting).length }),
  }
}

export type RecordsInHand = ReturnType<typeof recordsInHand>
