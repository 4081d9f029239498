/** A waiter that remembers being rung while nobody waited, so that no wake-up is lost. */
export const alarm = () => {
  let rung = false
  let wake: (() => void) | undefined
  return {
    ring: (): void => {
      rung = true
      wake?.()
    },
    /** Resolves when it rings or has rung since the last wait, at the latest after `maxMs`. */
    wait: async (maxMs: number): Promise<void> => {
      if (!rung)
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, maxMs)
          wake = () => {
            clearTimeout(timer)
            resolve()
          }
        })
      wake = undefined
      rung = false
    },
  }
}
