import { uint8 } from './bytes.ts'

/*
 * How a browser reads an HTML tag (WHATWG HTML, 13.2.5.8 to 13.2.5.40). Whether a `<` begins one depends on all that stands
 * before it, so each that may is followed, and all of them at once: many that are open at a byte are in few states.
 */

/**
 * In a tag's name; before an attribute, in its name, behind that; before its value, and in one with either quote or none.
 * What follows each at white space, `/`, `>`, `=`, `"`, `'` and any other byte: a state, or `.` for the end of the tag.
 */
const transitions = [
  ['N', 'BB.NNNN'],
  ['B', 'BB.AAAA'],
  ['A', 'FB.VAAA'],
  ['F', 'FB.VAAA'],
  ['V', 'VU.UDSU'],
  ['D', 'DDDDBDD'],
  ['S', 'SSSSSBS'],
  ['U', 'BU.UUUU'],
] as const

/** Several states, a bit for each. */
const setOf = (states: string): number =>
  transitions.reduce((set, [state], index) => (states.includes(state) ? set | (1 << index) : set), 0)

const [inName, mayBeginAttribute] = [setOf('N'), setOf('BF')]

const kindOf = (byte: number): number => {
  const kind = [' ', '/', '>', '=', '"', "'"].indexOf(String.fromCharCode(byte).replace(/[\t\n\f\r]/, ' '))
  return kind < 0 ? 6 : kind
}

const kinds = Uint8Array.from({ length: 256 }, (_, byte) => kindOf(byte))

/** What follows each set of states at each of eight kinds of bytes. */
const nextSets = Uint8Array.from({ length: 256 * 8 }, (_, index) => {
  const open = transitions.filter(([state]) => ((index >> 3) & setOf(state)) !== 0)
  return setOf(open.map(([, next]) => next.charAt(index & 7)).join(''))
})

/** For each byte whether an attribute may begin at it (not 0) in one of the tags whose `<` is one that `opens`. */
export const attributePlaces = (bytes: Uint8Array, opens: (at: number) => boolean): Uint8Array => {
  const places = new Uint8Array(bytes.length)
  let open = 0
  for (let at = 0; at < bytes.length; at++) {
    const byte = uint8(bytes, at)
    places[at] = open & mayBeginAttribute
    open = uint8(nextSets, (open << 3) | uint8(kinds, byte))
    if (byte === 0x3c && opens(at)) open |= inName
  }
  return places
}
