import { hasSignature, uint8 } from './bytes.ts'
import { html } from './html.ts'
import type { ImageType } from './image-types.ts'
import { markFinder, matchesAt, textOf, type Mark, type Search } from './marks.ts'
import { isPdf } from './pdf.ts'
import { isZipRecord } from './zip-records.ts'

/*
 * Looks for a second format in the bytes of an image, wherever they stand: in its metadata, between its pixels or behind
 * them. Compressed bytes are as good as random and photos carry XML, profiles, thumbnails and whole videos, so a mark
 * counts only where its attack needs it, or when so many bits of it are fixed that chance would bring it about less than
 * once in 2^44 bytes. What a container may rightly hold (XMP, another JPEG, an MP4) is no mark.
 */

export type SecondFormat = { name: string; mediaType: string; at: number }

type Format = { name: string; mediaType: string; marks: readonly Mark[] }

/** A second format that stands in the bytes, and at which of them: what begins the file, else the first that comes. */
export const findSecondFormat = (bytes: Uint8Array, type: ImageType): SecondFormat | undefined => {
  const search = { bytes }
  const scriptAt = findScript(search, type)
  if (scriptAt >= 0) return { name: 'a script', mediaType: 'text/javascript', at: scriptAt }
  if (isTar(bytes)) return { name: 'a tar archive', mediaType: 'application/x-tar', at: tarMarkAt }
  const found = findMark(search)
  return found && { name: found.mark.name, mediaType: found.mark.mediaType, at: found.at }
}

/** PHP's opening tags; the short one with a whole expression, or with so much text that no end is needed. */
const phpTag = /<\?(?:php[\t\n\r ][\t\n\r\x20-\x7e]{2}|=(?:[\t\n\r\x20-;=-~]{4,200}?\?>|[\t\n\r\x20-\x7e]{20}))/iy

/** Signatures that begin alike are one mark. */
const signatureMark = (...signatures: readonly [string, ...string[]]): Mark => ({
  begins: [signatures[0].charAt(0), signatures[0].charAt(1)],
  stands: ({ bytes }, at) => signatures.some((signature) => hasSignature(bytes, signature, at)),
})

const mayBePhp = (byte: number) => byte === 0x3d || (byte | 0x20) === 0x70

const php: readonly Mark[] = [
  {
    begins: ['<', '?'],
    stands: (search, at) => mayBePhp(uint8(search.bytes, at + 2)) && matchesAt(phpTag, textOf(search), at),
  },
  // The end of its archives.
  signatureMark('__HALT_COMPILER('),
]

const formats: readonly Format[] = [
  { name: 'an HTML page', mediaType: 'text/html', marks: html },
  { name: 'a PHP script', mediaType: 'application/x-httpd-php', marks: php },
  {
    name: 'a PDF',
    mediaType: 'application/pdf',
    marks: [{ begins: ['%', 'P'], stands: ({ bytes }, at) => isPdf(bytes, at) }],
  },
  {
    name: 'a ZIP archive',
    mediaType: 'application/zip',
    marks: [{ begins: ['P', 'K'], stands: ({ bytes }, at) => isZipRecord(bytes, at) }],
  },
  // Readers search self-extracting files for the signatures of these two: of RAR 4 and 5, and of 7-Zip's major version.
  {
    name: 'a RAR archive',
    mediaType: 'application/vnd.rar',
    marks: [signatureMark('Rar!\x1a\x07\0', 'Rar!\x1a\x07\x01\0')],
  },
  {
    name: 'a 7-Zip archive',
    mediaType: 'application/x-7z-compressed',
    marks: [signatureMark('7z\xbc\xaf\x27\x1c\0')],
  },
]

const findMark = markFinder(
  formats.flatMap(({ name, mediaType, marks }) => marks.map((mark) => ({ ...mark, name, mediaType }))),
)

/** POSIX.1-1988: the name of the first file takes the place of the image's header. */
const tarMarkAt = 257
const isTar = (bytes: Uint8Array): boolean =>
  hasSignature(bytes, 'ustar\x0000', tarMarkAt) || hasSignature(bytes, 'ustar  \0', tarMarkAt)

/** How many bytes of a header read as a name in a script; JPEG's do in Latin-1. The others are no script's beginning. */
const scriptNames = new Map<ImageType, number>([
  ['image/gif', 6],
  ['image/jpeg', 4],
  ['image/webp', 4],
])

/** So much text behind a GIF's name is a script that needs no comment. */
const gifTextBytes = 16

/**
 * A comment that begins where the header has a length, or in which the rest of it is hidden, and a script behind the
 * comment. An honest length may be those two characters too; so what follows the comment must be text, and no markup.
 */
const findScript = (search: Search, type: ImageType): number => {
  const { bytes } = search
  const nameBytes = scriptNames.get(type)
  if (nameBytes === undefined) return -1
  if (type === 'image/gif' && isText(bytes, nameBytes, gifTextBytes)) return nameBytes
  const at = uint8(bytes, nameBytes) === 0x3d ? nameBytes + 1 : nameBytes
  if (uint8(bytes, at) !== 0x2f) return -1
  const behind = skipComment(textOf(search), at)
  return behind >= 0 && matchesAt(/[\t\n\r ]*[!-;=-~][\t\n\r\x20-\x7e]{7}/y, textOf(search), behind) ? at : -1
}

const isText = (bytes: Uint8Array, from: number, count: number): boolean =>
  from + count <= bytes.length && bytes.subarray(from, from + count).every(isTextByte)

const isTextByte = (byte: number) => byte === 0x09 || byte === 0x0a || byte === 0x0d || (byte >= 0x20 && byte <= 0x7e)

const skipComment = (text: string, at: number): number => {
  if (text.startsWith('/*', at)) {
    const end = text.indexOf('*/', at + 2)
    return end < 0 ? -1 : end + 2
  }
  if (!text.startsWith('//', at)) return -1
  const length = text.slice(at).search(/[\n\r]/)
  return length < 0 ? -1 : at + length
}
