/**
 * What a mark begins with, what its next character may be, and a sticky pattern for the whole of it. A pattern alone would
 * be tried at every byte; of 64 KB of pixels a few hundred can begin a mark, and `indexOf` finds them in a tenth of the
 * time, as long as the beginning has at most six characters.
 */
export type Mark = { begins: readonly string[]; goesOn?: (code: number) => boolean; pattern: RegExp }

const quickBegin = 6

/** Signatures that begin alike are looked for together. */
export const signatureMark = (...signatures: [string, ...string[]]): Mark => ({
  begins: [signatures[0].slice(0, quickBegin)],
  pattern: new RegExp(signatures.map(RegExp.escape).join('|'), 'y'),
})

/** Where the first of the marks stands that is there at all, in their order; -1 for nowhere. `text`: bytes as Latin-1. */
export const findMark = (text: string, marks: readonly Mark[]): number => {
  for (const mark of marks) {
    for (const begin of mark.begins) {
      const at = findFrom(text, begin, mark)
      if (at >= 0) return at
    }
  }
  return -1
}

const findFrom = (text: string, begin: string, { goesOn = always, pattern }: Mark): number => {
  for (let at = text.indexOf(begin); at >= 0; at = text.indexOf(begin, at + 1)) {
    if (goesOn(text.charCodeAt(at + begin.length)) && matchesAt(pattern, text, at)) return at
  }
  return -1
}

const always = () => true

/** `pattern` is sticky. */
export const matchesAt = (pattern: RegExp, text: string, at: number): boolean => {
  pattern.lastIndex = at
  return pattern.test(text)
}
