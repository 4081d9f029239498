import { waitQueue } from './wait-queue.ts'

export type Limit = {
  readonly free: number
  /** Waits for a place, in order of asking. False when the signal aborted first: then nothing was taken. */
  take: (signal?: AbortSignal) => Promise<boolean>
  give: () => void
  /** Resolves when nothing is taken. */
  idle: () => Promise<void>
}

/** At most `max` things at once: a fair counting semaphore. */
export const limit = (max: number): Limit => {
  const takers = waitQueue()
  const idlers = waitQueue()
  let taken = 0
  return {
    get free() {
      return max - taken
    },
    take: async (signal) => {
      if (signal?.aborted) return false
      if (taken >= max) return takers.wait(signal)
      taken++
      return true
    },
    give: () => {
      if (taken === 0) throw new Error('a place was given back that nobody had taken')
      // A place that somebody waits for passes on without becoming free.
      if (takers.releaseOne()) return
      taken--
      if (taken === 0) idlers.releaseAll()
    },
    idle: async () => {
      if (taken > 0) await idlers.wait()
    },
  }
}
