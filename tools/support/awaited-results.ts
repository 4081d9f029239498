import type { ScanAnalyzed } from '#shared/domain/events.ts'
import { pause } from '#shared/runtime/backoff.ts'

/** A worker that runs answers sooner, if its model is the fake one. */
const firstMs = 2_500
/** Once one result has come, the others are on their way. */
const othersMs = 10_000

/** Results of vision jobs, told as they come; nobody knows whether a worker runs. */
export const awaitedResults = () => {
  const seen = new Map<string, ScanAnalyzed>()
  const waiting = new Map<string, (event: ScanAnalyzed) => void>()
  const all = new AbortController()
  let isLast = false

  const endWhenAll = () => {
    if (isLast && waiting.size === 0) all.abort()
  }
  const tell = (event: ScanAnalyzed) => {
    seen.set(event.subject, event)
    const told = waiting.get(event.subject)
    waiting.delete(event.subject)
    told?.(event)
    endWhenAll()
  }
  return {
    tell,
    expect: (key: string, told: (event: ScanAnalyzed) => void): void => {
      const event = seen.get(key)
      if (event) told(event)
      else waiting.set(key, told)
    },
    /** To be called when nothing more is expected. @returns how many have not come in the time that one has for it */
    missing: async (): Promise<number> => {
      isLast = true
      endWhenAll()
      await pause(firstMs, all.signal)
      if (seen.size > 0) await pause(othersMs, all.signal)
      return waiting.size
    },
  }
}

export type AwaitedResults = ReturnType<typeof awaitedResults>
