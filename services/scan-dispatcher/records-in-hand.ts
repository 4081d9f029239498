import type { LogRecord } from '#shared/ports/event-log.ts'

type Held = { isWaiting: boolean; release: () => void }

/** The records that are handled now, through all their tries, and which of them wait for a service that is away. */
export const recordsInHand = () => {
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
      held.set(record, { isWaiting: false, release: () => signal.removeEventListener('abort', abandon) })
      return true
    },
    wait: (record: LogRecord): void => {
      const one = held.get(record)
      if (one) one.isWaiting = true
    },
    drop,
    count: () => ({ inHand: held.size, waiting: [...held.values()].filter(({ isWaiting }) => isWaiting).length }),
  }
}

export type RecordsInHand = ReturnType<typeof recordsInHand>
