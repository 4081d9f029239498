/** How the next calls of a fake go wrong. */
export type Faults = {
  /** The next `times` calls reject before they have any effect. */
  fail: (call: string, error: Error, times?: number) => void
  /** The next call waits until the returned function is called, and then goes on as if nothing had been. */
  hold: (call: string) => () => void
  /** Ends all failures that are still planned. */
  heal: () => void
  /** How often each call was made, failures included. */
  readonly calls: ReadonlyMap<string, number>
  /** Called by the fakes at the start of each call. */
  strike: (call: string) => Promise<void>
}

export const openFaults = (): Faults => {
  const failures = new Map<string, { error: Error; times: number }>()
  const holds = new Map<string, Promise<unknown>>()
  const calls = new Map<string, number>()
  return {
    calls,
    fail: (call, error, times = 1) => {
      failures.set(call, { error, times })
    },
    hold: (call) => {
      const { promise, resolve } = Promise.withResolvers<undefined>()
      holds.set(call, promise)
      return () => resolve(undefined)
    },
    heal: () => failures.clear(),
    strike: async (call) => {
      calls.set(call, (calls.get(call) ?? 0) + 1)
      const hold = holds.get(call)
      holds.delete(call)
      await hold
      const failure = failures.get(call)
      if (!failure) return
      if (--failure.times <= 0) failures.delete(call)
      throw failure.error
    },
  }
}
