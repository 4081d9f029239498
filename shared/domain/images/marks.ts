import { latin1, uint8 } from './bytes.ts'
import { pairFinder, type Pair } from './pairs.ts'

/** The bytes that are searched. `text`: all of them as Latin-1, one character each; only made when asked for. */
export type Bytes = { bytes: Uint8Array; text: () => string }

/** What begins with a pair of bytes, and whether the whole of it stands where such a pair may. */
export type Mark = { begins: Pair; stands: (searched: Bytes, at: number) => boolean }

export const searchable = (bytes: Uint8Array): Bytes => {
  let text: string | undefined
  return { bytes, text: () => (text ??= latin1(bytes)) }
}

/** Finds the first of the marks that stands in the bytes, at whatever place. */
export const markFinder = <M extends Mark>(marks: readonly M[]) => {
  const findPairs = pairFinder(marks.map(({ begins }) => begins))
  const byFirst = Array.from({ length: 256 }, (_, byte) =>
    marks.filter(({ begins: [first] }) => first.includes(String.fromCharCode(byte))),
  )

  return (searched: Bytes): { mark: M; at: number } | undefined => {
    for (const at of findPairs(searched.bytes)) {
      for (const mark of byFirst[uint8(searched.bytes, at)] ?? []) {
        if (mark.stands(searched, at)) return { mark, at }
      }
    }
    return undefined
  }
}

/** `pattern` is sticky. */
export const matchesAt = (pattern: RegExp, text: string, at: number): boolean => {
  pattern.lastIndex = at
  return pattern.test(text)
}
