/**
 * What a mark begins with, and a sticky pattern for the whole of it. A pattern alone would be tried at every byte; of
 * 64 KB of pixels a few hundred can begin a mark, and `indexOf` finds them in a tenth of the time, as long as the
 * beginning has at most six characters.
 */
export type Mark = { begins: readonly string[]; pattern: RegExp }

const quickBegin = 6

export const signatureMark = (signature: string): Mark => ({
  begins: [signature.slice(0, quickBegin)],
  pattern: new RegExp(RegExp.escape(signature), 'y'),
})

/** Where the first of the marks stands that is there at all, in their order; -1 for nowhere. `text`: bytes as Latin-1. */
export const findMark = (text: string, marks: readonly Mark[]): number => {
  for (const { begins, pattern } of marks) {
    for (const begin of begins) {
      const at = findFrom(text, begin, pattern)
      if (at >= 0) return at
    }
  }
  return -1
}

const findFrom = (text: string, begin: string, pattern: RegExp): number => {
  let at = text.indexOf(begin)
  while (at >= 0 && !matchesAt(pattern, text, at)) at = text.indexOf(begin, at + 1)
  return at
}

/** `pattern` is sticky. */
export const matchesAt = (pattern: RegExp, text: string, at: number): boolean => {
  pattern.lastIndex = at
  return pattern.test(text)
}
