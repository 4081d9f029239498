/** Random numbers from 0 up to 1 that a seed repeats (mulberry32): a failure prints the seed, and the seed brings it back. */
export const seededRandom = (seed: number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** The seed that SEED names, else a new one. */
export const chosenSeed = () => Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31))
