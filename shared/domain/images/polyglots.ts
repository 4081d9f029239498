import { hasSignature, latin1, uint8 } from './bytes.ts'
import type { ImageType } from './image-types.ts'
import { findMark, matchesAt, signatureMark, type Mark } from './marks.ts'
import { findPdf } from './pdf.ts'
import { findZip } from './zip-records.ts'

/*
 * Looks for a second format in the bytes of an image, wherever they stand: in its metadata, between its pixels or behind
 * them. Compressed bytes are as good as random and photos carry XML, profiles, thumbnails and whole videos, so a mark
 * counts only where its attack needs it, or when so many bits of it are fixed that chance would bring it about less than
 * once in 2^44 bytes. What a container may rightly hold (XMP, another JPEG, an MP4) is no mark.
 */

export type SecondFormat = { name: string; mediaType: string; at: number }

/** `text`: the bytes as Latin-1, one character each. */
type File = { bytes: Uint8Array; text: string; type: ImageType }
type Finder = { name: string; mediaType: string; find: (file: File) => number }

/** What stands at byte `at` (-1: nothing) in the order of the table. */
export const findSecondFormat = (bytes: Uint8Array, type: ImageType): SecondFormat | undefined => {
  const text = latin1(bytes)
  for (const { name, mediaType, find } of finders) {
    const at = find({ bytes, text, type })
    if (at >= 0) return { name, mediaType, at }
  }
  return undefined
}

/** Handlers of events that an element may name. Others that begin with "on" are words: `online="true"`. */
const events =
  'abort|animation\\w+|auxclick|begin|blur|can\\w+|change|click|close|contextmenu|copy|cut|dblclick|drag\\w*|drop|end|' +
  'error|focus\\w*|hashchange|input|invalid|key\\w+|load\\w*|message|mouse\\w+|page\\w+|paste|play\\w*|pointer\\w+|' +
  'popstate|progress|repeat|reset|resize|scroll\\w*|select\\w*|submit|toggle|touch\\w+|transition\\w+|unload|wheel'

/** An element that sets an attribute, whatever other attributes stand before it. */
const element = (name: string, attribute: string) =>
  `${name}(?=[\\s/])[^<>\\0-\\x08]{0,500}?[\\s/"']${attribute}[\\t\\n\\f\\r ]*=`

const elements = (...patterns: readonly string[]) => new RegExp(`<(?:${patterns.join('|')})`, 'iy')

/** A letter or `!`; of pixels every fifth byte is one. */
const isTagStart = (code: number) => code === 0x21 || ((code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a)

/**
 * HTML that can act: it runs scripts, brings in a page or sends its reader to one. Plain formatting is left alone, since
 * captions have it. XMP's elements all have a prefix with a colon, which none of these has.
 */
const html: readonly Mark[] = [
  {
    begins: ['<'],
    goesOn: isTagStart,
    pattern: elements(
      '(?:script|iframe)[\\t\\n\\f\\r />]',
      '!doctype[\\t\\n\\f\\r ]+html',
      'html[\\t\\n\\f\\r />][\\t\\n\\r\\x20-\\x7e]{6}',
      element('(?:object|embed|meta)', '(?:data|src|http-equiv)'),
      element('[a-z][a-z0-9-]*', `on(?:${events})`),
    ),
  },
  {
    // Read backwards from its end: that is rarer than its beginning, an equals sign.
    begins: ['t:', 'T:'],
    pattern: /t:(?<==[\t\n\f\r ]*(?:["'][\t\n\f\r ]*)?(?:javascript|vbscript):)/iy,
  },
]

/** PHP's opening tags and the end of its archives; the short tag only as a whole expression. */
const php: readonly Mark[] = [
  { begins: ['<?'], pattern: /<\?(?:php[\t\n\r ][\t\n\r\x20-\x7e]{4}|=[\t\n\r\x20-;=-~]{4,200}?\?>)/iy },
  { begins: ['__HALT'], pattern: /__HALT_COMPILER\(/y },
]

/** The signatures of RAR 4 and 5 and of 7-Zip with its major version: readers search self-extracting files for them. */
const rar = [signatureMark('Rar!\x1a\x07\0', 'Rar!\x1a\x07\x01\0')]
const sevenZip = [signatureMark('7z\xbc\xaf\x27\x1c\0')]

/** POSIX.1-1988: the name of the first file takes the place of the image's header. */
const tarMarkAt = 257
const findTar = ({ bytes }: File): number =>
  hasSignature(bytes, 'ustar\x0000', tarMarkAt) || hasSignature(bytes, 'ustar  \0', tarMarkAt) ? tarMarkAt : -1

/** How many bytes of a header read as a name in a script; JPEG's do in Latin-1. The others are no script's beginning. */
const scriptNames = new Map<ImageType, number>([
  ['image/gif', 6],
  ['image/jpeg', 4],
  ['image/webp', 4],
])

/**
 * A comment that begins where the header has a length, or in which the rest of it is hidden, and a script behind the
 * comment. An honest length may be those two characters too; so what follows the comment must be text, and no markup.
 */
const findScript = ({ bytes, text, type }: File): number => {
  const nameBytes = scriptNames.get(type)
  if (nameBytes === undefined) return -1
  if (type === 'image/gif' && matchesAt(/[\t\n\r\x20-\x7e]{16}/y, text, nameBytes)) return nameBytes
  const at = uint8(bytes, nameBytes) === 0x3d ? nameBytes + 1 : nameBytes
  const behind = skipComment(text, at)
  return behind >= 0 && matchesAt(/[\t\n\r ]*[!-;=-~][\t\n\r\x20-\x7e]{7}/y, text, behind) ? at : -1
}

const skipComment = (text: string, at: number): number => {
  if (text.startsWith('/*', at)) {
    const end = text.indexOf('*/', at + 2)
    return end < 0 ? -1 : end + 2
  }
  if (!text.startsWith('//', at)) return -1
  const length = text.slice(at).search(/[\n\r]/)
  return length < 0 ? -1 : at + length
}

const finders: Finder[] = [
  { name: 'an HTML page', mediaType: 'text/html', find: ({ text }) => findMark(text, html) },
  { name: 'a PHP script', mediaType: 'application/x-httpd-php', find: ({ text }) => findMark(text, php) },
  { name: 'a PDF', mediaType: 'application/pdf', find: ({ text }) => findPdf(text) },
  { name: 'a ZIP archive', mediaType: 'application/zip', find: ({ bytes, text }) => findZip(bytes, text) },
  { name: 'a RAR archive', mediaType: 'application/vnd.rar', find: ({ text }) => findMark(text, rar) },
  {
    name: 'a 7-Zip archive',
    mediaType: 'application/x-7z-compressed',
    find: ({ text }) => findMark(text, sevenZip),
  },
  { name: 'a tar archive', mediaType: 'application/x-tar', find: findTar },
  { name: 'a script', mediaType: 'text/javascript', find: findScript },
]
