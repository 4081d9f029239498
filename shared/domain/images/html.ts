import { uint8 } from './bytes.ts'
import { matchesAt, type Bytes, type Mark } from './marks.ts'

/*
 * HTML that can act: it runs scripts, brings in a page or sends its reader to one. Plain formatting is left alone, since
 * captions have it. XMP's elements all have a prefix with a colon, which none of these has.
 */

/** Handlers of events that an element may name. Others that begin with "on" are words: `online="true"`. */
const events =
  'abort|animation\\w+|auxclick|begin|blur|can\\w+|change|click|close|contextmenu|copy|cut|dblclick|drag\\w*|drop|end|' +
  'error|focus\\w*|hashchange|input|invalid|key\\w+|load\\w*|message|mouse\\w+|page\\w+|paste|play\\w*|pointer\\w+|' +
  'popstate|progress|repeat|reset|resize|scroll\\w*|select\\w*|submit|toggle|touch\\w+|transition\\w+|unload|wheel'

/** An element that sets an attribute, whatever other attributes stand before it. */
const element = (name: string, attribute: string) =>
  `${name}(?=[\\s/])[^<>\\0-\\x08]{0,500}?[\\s/"']${attribute}[\\t\\n\\f\\r ]*=`

const elements = (...patterns: readonly string[]) => new RegExp(`<(?:${patterns.join('|')})`, 'iy')

const activeElement = elements(
  '(?:script|iframe)[\\t\\n\\f\\r />]',
  '!doctype[\\t\\n\\f\\r ]+html',
  'html[\\t\\n\\f\\r />][\\t\\n\\r\\x20-\\x7e]{6}',
  element('(?:object|embed|meta)', '(?:data|src|http-equiv)'),
  element('[a-z][a-z0-9-]*', `on(?:${events})`),
)

/** `html` is the shortest name of an element that acts without an attribute. */
const shortestActing = 4

/** What every active element has, seen in the bytes: of 64 KB of pixels the pattern would be tried at some fifty places. */
const mayBeActive = (bytes: Uint8Array, nameAt: number): boolean => {
  let at = nameAt
  while (isNameByte(uint8(bytes, at))) at++
  if (at === nameAt || !endsName(uint8(bytes, at))) return false
  return at - nameAt >= shortestActing || setsAttribute(bytes, at)
}

const isLetter = (byte: number) => (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a

/** A letter, a digit, `-` or the `!` of a document type. */
const isNameByte = (byte: number) => isLetter(byte) || (byte >= 0x30 && byte <= 0x39) || byte === 0x2d || byte === 0x21

/** White space, also that without a break, `/` or `>`. */
const endsName = (byte: number) =>
  (byte >= 0x09 && byte <= 0x0d) || byte === 0x20 || byte === 0xa0 || byte === 0x2f || byte === 0x3e

/** Whether an equals sign comes before what no element has inside of it. */
const setsAttribute = (bytes: Uint8Array, from: number): boolean => {
  for (let at = from; at < bytes.length; at++) {
    const byte = uint8(bytes, at)
    if (byte === 0x3d) return true
    if (byte === 0x3c || byte === 0x3e || byte <= 0x08) return false
  }
  return false
}

/** Read backwards from its end: that is rarer than its beginning, an equals sign. */
const scriptLink = /t:(?<==[\t\n\f\r ]*(?:["'][\t\n\f\r ]*)?(?:javascript|vbscript):)/iy

const endsScheme = ({ bytes, text }: Bytes, at: number) =>
  (uint8(bytes, at - 1) | 0x20) === 0x70 && matchesAt(scriptLink, text(), at)

export const html: readonly Mark[] = [
  {
    begins: ['<', '!abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'],
    stands: ({ bytes, text }, at) => mayBeActive(bytes, at + 1) && matchesAt(activeElement, text(), at),
  },
  { begins: ['tT', ':'], stands: endsScheme },
]
