import { uint8 } from './bytes.ts'
import { matchesAt, oncePerSearch, textOf, type Mark, type Search } from './marks.ts'
import { attributePlaces } from './tags.ts'

/*
 * HTML that can act: it runs scripts, brings in a page or sends its reader to one. Plain formatting is left alone, since
 * captions have it. XMP's elements and attributes all have a prefix with a colon, which none of these has.
 */

/** Handlers of events that an element may name. Others that begin with "on" are words: `online="true"`. */
const handler = new RegExp(
  '^on(?:abort|afterprint|animation\\w+|auxclick|before\\w+|begin|blur|bounce|can\\w+|change|click|close|command|' +
    'content\\w+|context\\w+|copy|cuechange|cut|dblclick|device\\w+|drag\\w*|drop|durationchange|emptied|encrypted|' +
    'end(?:ed)?|error|finish|focus\\w*|formdata|fullscreen\\w+|gamepad\\w+|gotpointercapture|hashchange|input|invalid|' +
    'key\\w+|languagechange|load\\w*|lostpointercapture|message\\w*|mouse\\w+|orientationchange|page\\w+|paste|pause|' +
    'play\\w*|pointer\\w+|popstate|progress|ratechange|rejectionhandled|repeat|reset|resize|scroll\\w*|search|' +
    'securitypolicyviolation|seek\\w+|select\\w*|slotchange|stalled|start|storage|submit|suspend|timeupdate|toggle|' +
    'touch\\w+|transition\\w+|unhandledrejection|unload|volumechange|waiting\\w*|webkit\\w+|wheel)$',
)

/** In these elements such an attribute brings in a page or sends its reader to one. */
const bringsIn = { element: /^(?:object|embed|meta)$/, attribute: /^(?:data|src|http-equiv)$/ }

const page = /<(?:!doctype[\t\n\f\r ]+html|html[\t\n\f\r />][\t\n\r\x20-\x7e]{6})/iy

const acts = (search: Search, at: number): boolean => {
  const name = tagName(search.bytes, at)
  if (name === 'script' || name === 'iframe') return true
  if (bringsIn.element.test(name)) return someBringsIn(search)
  return (name === 'html' || name === '!doctype') && matchesAt(page, textOf(search), at)
}

const isHandler = (search: Search, at: number): boolean =>
  endsAttribute(uint8(search.bytes, at - 1)) &&
  handler.test(readName(search.bytes, at)) &&
  isSet(search.bytes, at) &&
  uint8(inTags(search), at) !== 0

/** Read backwards from its end: that is rarer than its beginning, an equals sign. */
const scriptLink = /t:(?<==[\t\n\f\r ]*(?:["'][\t\n\f\r ]*)?(?:javascript|vbscript):)/iy

const endsScheme = (search: Search, at: number) =>
  (uint8(search.bytes, at - 1) | 0x20) === 0x70 && matchesAt(scriptLink, textOf(search), at)

export const html: readonly Mark[] = [
  { begins: ['tT', ':'], stands: endsScheme },
  { begins: ['oO', 'nN'], stands: isHandler },
  { begins: ['<', '!ehimosEHIMOS'], stands: acts },
]

/** Longer than the longest of these names. */
const longestName = 40

/** The letters, `-` and `!` from a byte on, in small letters. */
const readName = (bytes: Uint8Array, from: number): string => {
  let name = ''
  for (let at = from; name.length < longestName && isNameByte(uint8(bytes, at)); at++)
    name += String.fromCharCode(uint8(bytes, at) | 0x20)
  return name
}

const isLetter = (byte: number) => (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a
const isNameByte = (byte: number) => isLetter(byte) || byte === 0x2d || byte === 0x21
const isWhite = (byte: number) => byte === 0x09 || byte === 0x0a || byte === 0x0c || byte === 0x0d || byte === 0x20

/** The name of a tag that begins at a `<`, '' where it goes on with what none of these names has. */
const tagName = (bytes: Uint8Array, at: number): string => {
  const name = readName(bytes, at + 1)
  const end = uint8(bytes, at + 1 + name.length)
  return isWhite(end) || end === 0x2f || end === 0x3e ? name : ''
}

/** What can stand before an attribute: white space, `/`, the quote of a value. */
const endsAttribute = (byte: number) => isWhite(byte) || byte === 0x2f || byte === 0x22 || byte === 0x27

/** Whether an equals sign follows the name at a byte. */
const isSet = (bytes: Uint8Array, nameAt: number): boolean => {
  let at = nameAt
  while (isNameByte(uint8(bytes, at))) at++
  while (isWhite(uint8(bytes, at))) at++
  return uint8(bytes, at) === 0x3d
}

const inTags = oncePerSearch((bytes) => attributePlaces(bytes, (at) => isLetter(uint8(bytes, at + 1))))

const someBringsIn = oncePerSearch((bytes): boolean =>
  attributePlaces(bytes, (at) => bringsIn.element.test(tagName(bytes, at))).some(
    (place, at) => place !== 0 && bringsIn.attribute.test(readName(bytes, at)) && isSet(bytes, at),
  ),
)
