import { performance } from 'node:perf_hooks'

import { backoff, pause } from './backoff.ts'
import type { Log } from './log.ts'
import { waitQueue } from './wait-queue.ts'

/** Holds the work back while something that it depends on is away. */
export type Gate = {
  readonly open: boolean
  /** All dependencies that it knows. */
  readonly names: readonly string[]
  /** The dependencies that are waited for. */
  readonly away: readonly string[]
  /**
   * Closes the gate for the named dependency and probes that dependency (not the work) with jittered backoff until it
   * answers. Closing again while closed for the same name changes nothing. Throws on a name that has no probe.
   */
  shut: (name: string, reason: unknown) => void
  /** Resolves true when every dependency is back, false when the signal (or the gate's own) aborts first. */
  opened: (signal: AbortSignal) => Promise<boolean>
}

export type Probe = (signal: AbortSignal) => Promise<void>

type Probing = { signal: AbortSignal; delayMs: (attempt: number) => number; probeTimeoutMs: number }

// One that goes away again so soon after its return was not really back: its backoff goes on where it was.
const settledMs = 30_000
// A wait and the probe before it share the delay, so that a return during a hung probe is noticed within 2.5 s too.
const leastPauseMs = 200

export const gate = (options: {
  /** Per dependency: resolves when it answers. */
  probes: Readonly<Record<string, Probe>>
  log: Log
  /** Ends the probing; a closed gate then stays closed. */
  signal: AbortSignal
  delayMs?: (attempt: number) => number
  probeTimeoutMs?: number
  onChange?: (open: boolean) => void
}): Gate => {
  const { probes, log, signal, onChange } = options
  const { delayMs = backoff({ baseMs: 100, capMs: 2000 }), probeTimeoutMs = 2000 } = options
  const away = new Set<string>()
  const returns = new Map<string, { at: number; attempt: number }>()
  const waiting = waitQueue()

  const awaitReturn = async (name: string, probe: Probe) => {
    const since = performance.now()
    const last = returns.get(name)
    const firstAttempt = last && since - last.at < settledMs ? last.attempt : 0
    const attempt = await probeUntilBack(probe, firstAttempt, { signal, delayMs, probeTimeoutMs })
    if (signal.aborted) return
    const at = performance.now()
    returns.set(name, { at, attempt })
    away.delete(name)
    log.info({ dependency: name, awayMs: Math.round(at - since) }, `${name} is back`)
    if (away.size > 0) return
    onChange?.(true)
    waiting.releaseAll()
  }
  return {
    get open() {
      return away.size === 0
    },
    names: Object.keys(probes),
    get away() {
      return [...away]
    },
    shut: (name, reason) => {
      const probe = probes[name]
      if (!probe) throw new Error(`the gate has no probe for ${name}: it knows ${Object.keys(probes).join(', ')}`)
      if (away.has(name)) return
      away.add(name)
      log.warn({ dependency: name, reason }, `${name} is away: waiting for its return`)
      if (away.size === 1) onChange?.(false)
      void awaitReturn(name, probe)
    },
    opened: async (caller) => {
      if (caller.aborted || away.size === 0) return !caller.aborted
      return waiting.wait(AbortSignal.any([caller, signal]))
    },
  }
}

/** Resolves with the number of the next attempt, when the probe has answered or the signal has aborted. */
const probeUntilBack = async (probe: Probe, firstAttempt: number, probing: Probing): Promise<number> => {
  const { signal, delayMs, probeTimeoutMs } = probing
  let tookMs = 0
  for (let attempt = firstAttempt; ; attempt++) {
    const wanted = delayMs(attempt)
    await pause(Math.max(wanted - tookMs, Math.min(wanted, leastPauseMs)), signal)
    const started = performance.now()
    if (signal.aborted || (await answers(probe, signal, probeTimeoutMs))) return attempt + 1
    tookMs = performance.now() - started
  }
}

const answers = async (probe: Probe, signal: AbortSignal, timeoutMs: number): Promise<boolean> => {
  const over = new AbortController()
  const ended = AbortSignal.any([signal, over.signal])
  const ask = async () => {
    try {
      await probe(ended)
      return true
    } catch {
      return false
    }
  }
  const answered = await Promise.race([ask(), pause(timeoutMs, ended).then(() => false)])
  over.abort()
  return answered
}
