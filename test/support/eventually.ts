import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Resolves with the first truthy value that `fact` gives, asking every 10 ms.
 * @throws when `withinMs` passes first, naming `what` was awaited.
 */
export const eventually = async <T>(
  fact: () => T | Promise<T>,
  what: string,
  withinMs = 10_000,
): Promise<NonNullable<T>> => {
  const deadline = Date.now() + withinMs
  for (;;) {
    const value = await fact()
    if (value) return value
    if (Date.now() > deadline) throw new Error(`waited ${withinMs} ms in vain for: ${what}`)
    await sleep(10)
  }
}
