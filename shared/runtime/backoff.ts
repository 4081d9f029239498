/**
 * Delays that double from `baseMs` to `capMs`, with "equal jitter": half of it is fixed, half is random, so a delay is
 * never 0 and callers that failed together don't return together.
 * Source: Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 * @returns the delay in ms before the retry of attempt 0, 1, 2, ...
 */
export const backoff =
  ({ baseMs, capMs, random = Math.random }: { baseMs: number; capMs: number; random?: () => number }) =>
  (attempt: number): number => {
    const half = Math.min(capMs, baseMs * 2 ** attempt) / 2
    return half + random() * half
  }

/** Waits, for a time below 0 as for 0; resolves early, without a throw, when the signal aborts. */
export const pause = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', finish)
      resolve()
    }
    // Node warns of a time below 0.
    const timer = setTimeout(finish, Math.max(0, ms))
    if (signal?.aborted) finish()
    else signal?.addEventListener('abort', finish)
  })

/**
 * Does the work up to `attempts` times, pausing between them.
 * @throws the last error: of the last attempt, of one that `isFinal` says no retry will mend, or of the one after which
 * the signal aborted.
 */
export const retrying = async <T>(
  work: (attempt: number) => Promise<T>,
  options: {
    attempts: number
    delayMs: (attempt: number) => number
    signal?: AbortSignal
    isFinal?: (error: unknown) => boolean
  },
): Promise<T> => {
  const { attempts, delayMs, signal, isFinal = () => false } = options
  for (let attempt = 0; ; attempt++) {
    try {
      return await work(attempt)
    } catch (error) {
      if (attempt + 1 >= attempts || isFinal(error)) throw error
      await pause(delayMs(attempt), signal)
      if (signal?.aborted) throw error
    }
  }
}
