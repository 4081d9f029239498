import { performance } from 'node:perf_hooks'

import { withinLimit } from './time-limit.ts'

/** An answer stands for so long. */
export const readinessRestMs = 2_000
const limitMs = 900

type Ping = (signal: AbortSignal) => Promise<void>

/**
 * Asks what the API depends on at most every 2 s, however often readiness is asked for: the route is open to everybody.
 * @returns a function that gives a sentence when something does not answer; `pings` are named by that sentence
 */
export const askRarely = (pings: Readonly<Record<string, Ping>>) => {
  let last: { at: number; answer: Promise<string | undefined> } | undefined
  return () => {
    const now = performance.now()
    if (!last || now - last.at > readinessRestMs) last = { at: now, answer: askAll(pings) }
    return last.answer
  }
}

const askAll = async (pings: Readonly<Record<string, Ping>>) => {
  const found = await Promise.all(Object.entries(pings).map(([sentence, ping]) => ask(sentence, ping)))
  return found.find((problem) => problem !== undefined)
}

const ask = async (sentence: string, ping: Ping) => {
  try {
    await withinLimit(ping, limitMs)
    return undefined
  } catch {
    return sentence
  }
}
