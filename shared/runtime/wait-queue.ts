/** Who waits to be let through, first come first served. */
export type WaitQueue = {
  /** True when let through, false when the signal aborted first. */
  wait: (signal?: AbortSignal) => Promise<boolean>
  /** Lets the first one through; false when nobody waits. */
  releaseOne: () => boolean
  releaseAll: () => void
}

export const waitQueue = (): WaitQueue => {
  const waiting = new Set<(released: boolean) => void>()
  const releaseOne = () => {
    const [first] = waiting
    first?.(true)
    return first !== undefined
  }
  return {
    wait: (signal) =>
      new Promise((resolve) => {
        const leave = () => settle(false)
        const settle = (released: boolean) => {
          waiting.delete(settle)
          signal?.removeEventListener('abort', leave)
          resolve(released)
        }
        waiting.add(settle)
        signal?.addEventListener('abort', leave)
        if (signal?.aborted) leave()
      }),
    releaseOne,
    releaseAll: () => {
      while (releaseOne());
    },
  }
}
