import { constants } from 'node:os'
import { performance } from 'node:perf_hooks'

import type { Log } from './log.ts'

/** `stop`: take nothing new and finish what is in hand. `deadline`: abandon what is in hand. */
export type Signals = { stop: AbortSignal; deadline: AbortSignal }

export type Lifetime = Signals & {
  /** Stop now, deadline after the grace. Only the first call counts; its reason is the signals' reason. */
  end: (reason: string) => void
}

/** Resolves when the signal aborts. */
export const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })

/** The grace's timer keeps no process alive: parts that still work do that themselves (run.ts). */
export const lifetime = ({ graceMs }: { graceMs: number }): Lifetime => {
  const stop = new AbortController()
  const deadline = new AbortController()
  const end = (reason: string) => {
    setTimeout(() => deadline.abort(reason), graceMs).unref()
    stop.abort(reason)
  }
  return { stop: stop.signal, deadline: deadline.signal, end }
}

// Ctrl-C reaches npm and its script both, and npm passes it on to the script: the same wish arrives twice, 10 ms apart.
const echoMs = 300

/**
 * First SIGTERM or SIGINT ends the lifetime; a second one ends the process at once with 128 + signal.
 * The same signal again within 300 ms is taken for an echo of the first.
 * @returns a function that undoes it.
 */
export const endOnSignals = (life: Lifetime, log: Log): (() => void) => {
  let first: { signal: NodeJS.Signals; at: number } | undefined
  const onSignal = (signal: NodeJS.Signals) => {
    if (!first) {
      first = { signal, at: performance.now() }
      log.info({ signal }, 'stopping: finishing what is in hand; a second signal ends at once')
      life.end(signal)
    } else if (signal !== first.signal || performance.now() - first.at > echoMs) {
      log.warn({ signal }, 'second signal: ending at once')
      process.exit(128 + constants.signals[signal])
    }
  }
  const signals = ['SIGTERM', 'SIGINT'] as const
  for (const signal of signals) process.on(signal, onSignal)
  return () => signals.forEach((signal) => process.off(signal, onSignal))
}
