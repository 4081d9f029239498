import { hash } from 'node:crypto'

import { SetupError } from '../../shared/ports/failures.ts'
import { backoff } from '../../shared/runtime/backoff.ts'
import { aborted, type Signals } from '../../shared/runtime/lifetime.ts'
import type { Log } from '../../shared/runtime/log.ts'
import type { PathBudget } from './budget.ts'
import { coalescePaths } from './coalesce.ts'

/**
 * Has the CDN forget paths. A repeat under the same reference is the same invalidation, and costs nothing.
 * @throws SetupError when no repeat will mend it
 */
export type SendInvalidation = (paths: readonly string[], reference: string) => Promise<void>

export type InvalidatorOptions = {
  send: SendInvalidation
  budget: PathBudget
  log: Log
  /** Paths that come within it share a call. */
  gatherMs: number
  now: () => number
  /** Resolves after that time, or when the signal aborts. */
  pause: (ms: number, signal: AbortSignal) => Promise<void>
  retryDelayMs?: (attempt: number) => number
}

/** Collects paths and sends them as the budget allows: the longer that takes, the more of them share one. */
export const openInvalidator = (options: InvalidatorOptions) => {
  const { send, budget, log, gatherMs, now, pause } = options
  const { retryDelayMs = backoff({ baseMs: 500, capMs: 60_000 }) } = options
  let waiting = new Map<string, PromiseWithResolvers<undefined>>()
  let news = Promise.withResolvers<undefined>()
  let broken: Error | undefined

  /** Resolves when the CDN was told. @throws SetupError */
  const take = (path: string): Promise<unknown> => {
    if (broken) return Promise.reject(broken)
    const known = waiting.get(path)
    if (known) return known.promise
    const one = Promise.withResolvers<undefined>()
    waiting.set(path, one)
    news.resolve(undefined)
    return one.promise
  }

  const deliver = async (deadline: AbortSignal) => {
    const taken = waiting
    waiting = new Map()
    news = Promise.withResolvers()
    const paths = coalescePaths(taken.keys(), Math.max(1, budget.available(now())))
    budget.spend(paths.length, now())
    const reference = hash('sha256', `${now()} ${paths.join(' ')}`)
    try {
      const isSent = await sendUntil(deadline, paths, reference)
      if (!isSent) return
      log.info({ images: taken.size, paths: paths.length, example: paths[0] }, 'taken out of the caches')
      for (const { resolve } of taken.values()) resolve(undefined)
    } catch (error) {
      broken = error instanceof Error ? error : new Error(String(error))
      for (const { reject } of [...taken.values(), ...waiting.values()]) reject(broken)
      throw broken
    }
  }

  /** False when the deadline came first; whoever waits is then left, and its record comes again. */
  const sendUntil = async (deadline: AbortSignal, paths: readonly string[], reference: string) => {
    for (let attempt = 0; !deadline.aborted; attempt++) {
      try {
        await send(paths, reference)
        return true
      } catch (error) {
        if (error instanceof SetupError) throw error
        log.warn({ err: error, paths: paths.length }, 'the CDN could not be told, and will be asked again')
        await pause(retryDelayMs(attempt), deadline)
      }
    }
    return false
  }

  /** After `stop` what waits goes at once, in one path more than the budget at most: nothing is left for who comes after. */
  const run = async ({ stop, deadline }: Signals): Promise<void> => {
    const stopped = aborted(stop)
    for (;;) {
      if (waiting.size === 0) await Promise.race([news.promise, stopped])
      if (!stop.aborted) await pause(gatherMs, stop)
      if (!stop.aborted) await pause(budget.waitMs(now()), stop)
      if (waiting.size > 0) await deliver(deadline)
      if (stop.aborted && (waiting.size === 0 || deadline.aborted)) return
    }
  }

  return { take, run }
}

export type Invalidator = ReturnType<typeof openInvalidator>
