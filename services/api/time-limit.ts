import { OutageError } from '#shared/ports/failures.ts'

/**
 * The image store's share of the 2 s in which every request is answered. The rest is for what comes before and after it
 * where hundreds wait at once: 300 calls to a process that has just started need 0.4 s of it.
 */
const storageLimitMs = 1_200

/**
 * Waits for the image store, but not for long: when the time is over the signal aborts and the wait ends, whether or not
 * the store heeds the signal.
 * @throws OutageError, or its kind that is given, when the time is over
 */
export const withinLimit = async <T>(
  work: (signal: AbortSignal) => Promise<T>,
  limitMs = storageLimitMs,
  Late = OutageError,
): Promise<T> => {
  const over = new AbortController()
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Late('S3', `no answer within ${limitMs} ms`)), limitMs)
  try {
    return await Promise.race([work(over.signal), late.promise])
  } finally {
    clearTimeout(timer)
    over.abort()
  }
}
