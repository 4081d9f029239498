import { performance } from 'node:perf_hooks'

import { withinLimit } from './time-limit.ts'

const restMs = 2_000
const limitMs = 900

/** Asks a dependency at most every 2 s, however often readiness is asked for: the route is open to everybody. */
export const askRarely = (ping: (signal: AbortSignal) => Promise<void>) => {
  let last: { at: number; answer: Promise<string | undefined> } | undefined
  return () => {
    const now = performance.now()
    if (!last || now - last.at > restMs) last = { at: now, answer: ask(ping) }
    return last.answer
  }
}

const ask = async (ping: (signal: AbortSignal) => Promise<void>) => {
  try {
    await withinLimit(ping, limitMs)
    return undefined
  } catch {
    return 'the image store does not answer'
  }
}
