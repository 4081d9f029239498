import { latin1, uint16 } from './bytes.ts'
import { pairFinder, type Pair } from './pairs.ts'

/** The bytes of one search. */
export type Search = { readonly bytes: Uint8Array }

/** What begins with a pair of bytes, and whether the whole of it stands where its pair does. */
export type Mark = { begins: Pair; stands: (search: Search, at: number) => boolean }

/** What marks need to know of all the bytes: only worked out when one asks, and once however many do. */
export const oncePerSearch = <T extends object | string | boolean>(work: (bytes: Uint8Array) => T) => {
  const known = new WeakMap<Search, T>()
  return (search: Search): T => {
    const result = known.get(search) ?? work(search.bytes)
    known.set(search, result)
    return result
  }
}

/** The bytes as Latin-1, one character each. */
export const textOf = oncePerSearch(latin1)

/** Finds the first of the marks that stands in the bytes, at whatever place. */
export const markFinder = <M extends Mark>(marks: readonly M[]) => {
  const findPairs = pairFinder(marks.map(({ begins }) => begins))
  const byPair = Map.groupBy(
    marks.flatMap((mark) => pairsOf(mark).map((pair) => ({ pair, mark }))),
    ({ pair }) => pair,
  )

  return (search: Search): { mark: M; at: number } | undefined => {
    for (const at of findPairs(search.bytes)) {
      for (const { mark } of byPair.get(uint16(search.bytes, at)) ?? []) {
        if (mark.stands(search, at)) return { mark, at }
      }
    }
    return undefined
  }
}

/** Each pair that a mark may begin with, as one number. */
const pairsOf = ({ begins: [first, second] }: Mark): number[] =>
  [...Buffer.from(first, 'latin1')].flatMap((one) =>
    [...Buffer.from(second, 'latin1')].map((other) => (one << 8) | other),
  )

/** `pattern` is sticky. */
export const matchesAt = (pattern: RegExp, text: string, at: number): boolean => {
  pattern.lastIndex = at
  return pattern.test(text)
}
