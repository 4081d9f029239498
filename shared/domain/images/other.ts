import type { Brands } from './brands.ts'
import { hasSignature } from './bytes.ts'
import { heic, type Inspection } from './inspection.ts'
import { isPdf } from './pdf.ts'
import { nameText } from './text.ts'

type Signature = [signature: string, name: string, mediaType?: string]

/** One character per byte, `?` for any. */
const signatures: Signature[] = [
  ['%!PS', 'a PostScript file', 'application/postscript'],
  ['{\\rtf', 'an RTF document', 'application/rtf'],
  ['PK\x03\x04', 'a ZIP archive', 'application/zip'],
  ['PK\x05\x06', 'a ZIP archive', 'application/zip'],
  ['PK\x07\x08', 'a ZIP archive', 'application/zip'],
  ['\x1f\x8b', 'a gzip archive', 'application/gzip'],
  ['BZh', 'a bzip2 archive', 'application/x-bzip2'],
  ['\xfd7zXZ\0', 'an xz archive', 'application/x-xz'],
  ['\x28\xb5\x2f\xfd', 'a Zstandard archive', 'application/zstd'],
  ['7z\xbc\xaf\x27\x1c', 'a 7-Zip archive', 'application/x-7z-compressed'],
  ['Rar!\x1a\x07', 'a RAR archive', 'application/vnd.rar'],
  ['II*\0', 'a TIFF image', 'image/tiff'],
  ['MM\0*', 'a TIFF image', 'image/tiff'],
  ['II+\0', 'a TIFF image', 'image/tiff'],
  ['MM\0+', 'a TIFF image', 'image/tiff'],
  ['\0\0\x01\0', 'an ICO icon', 'image/vnd.microsoft.icon'],
  ['8BPS\0', 'a Photoshop document', 'image/vnd.adobe.photoshop'],
  ['\0\0\0\x0cJXL \r\n\x87\n', 'a JPEG XL image', 'image/jxl'],
  ['\xff\x0a', 'a JPEG XL image', 'image/jxl'],
  ['\0\0\0\x0cjP  \r\n\x87\n', 'a JPEG 2000 image', 'image/jp2'],
  ['\xff\x4f\xff\x51', 'a JPEG 2000 image', 'image/jp2'],
  ['RIFF????WAVE', 'a WAV sound', 'audio/wav'],
  ['RIFF????AVI ', 'an AVI video', 'video/x-msvideo'],
  ['\x1a\x45\xdf\xa3', 'a Matroska or WebM video', 'video/x-matroska'],
  ['OggS', 'an Ogg file', 'application/ogg'],
  ['fLaC', 'a FLAC sound', 'audio/flac'],
  ['ID3', 'an MP3 sound', 'audio/mpeg'],
  ['\x7fELF', 'an ELF executable', 'application/x-elf'],
  ['\xfe\xed\xfa\xce', 'a Mach-O executable', 'application/x-mach-binary'],
  ['\xfe\xed\xfa\xcf', 'a Mach-O executable', 'application/x-mach-binary'],
  ['\xce\xfa\xed\xfe', 'a Mach-O executable', 'application/x-mach-binary'],
  ['\xcf\xfa\xed\xfe', 'a Mach-O executable', 'application/x-mach-binary'],
  // Two formats share this signature: Apple's for several processors, and Java's.
  ['\xca\xfe\xba\xbe', 'a Mach-O executable or Java class'],
  ['\0asm', 'a WebAssembly module', 'application/wasm'],
  ['SQLite format 3\0', 'an SQLite database', 'application/vnd.sqlite3'],
  ['\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1', 'an old Office document', 'application/x-ole-storage'],
]

/** Two letters that a text may begin with as well: they count only in what is no text. */
const weakSignatures: Signature[] = [
  ['MZ', 'a Windows executable', 'application/vnd.microsoft.portable-executable'],
  ['BM', 'a BMP image', 'image/bmp'],
]

/** Names what is none of our image types, nor an ISO media file. */
export const nameOther = (bytes: Uint8Array): Inspection =>
  findSignature(bytes, signatures) ??
  namePdf(bytes) ??
  nameText(bytes) ??
  findSignature(bytes, weakSignatures) ?? { kind: 'unknown' }

/** Whatever may stand before its header; further back than here it is hardly the file's own. */
const namePdf = (bytes: Uint8Array): Inspection | undefined =>
  bytes.subarray(0, 2048).some((_, at, beginning) => isPdf(beginning, at))
    ? { kind: 'other', name: 'a PDF', mediaType: 'application/pdf' }
    : undefined

const findSignature = (bytes: Uint8Array, table: Signature[]): Inspection | undefined => {
  const found = table.find(([signature]) => hasSignature(bytes, signature))
  if (found === undefined) return undefined
  const [, name, mediaType] = found
  return { kind: 'other', name, ...(mediaType !== undefined && { mediaType }) }
}

const heicBrands = ['heic', 'heix', 'heim', 'heis', 'hevc', 'hevx', 'hevm', 'hevs']

/** Of HEIF images and sequences coded otherwise: as H.264, JPEG, JPEG 2000, VVC (ISO/IEC 23008-12). */
const otherHeifBrands = ['avci', 'avcs', 'jpeg', 'jpgs', 'j2ki', 'j2is', 'vvic', 'vvis']

/** Brands of HEIF that leave open how the pixels are coded: AVIF's own may yet follow. */
const openBrands = ['mif1', 'mif2', 'msf1']

/** Names an ISO media file by its brands, none of which is AVIF's so far. Unknown while one that is not read may be. */
export const nameMedia = ({ names, allRead }: Brands): Inspection => {
  const major = names[0] ?? ''
  const isOpen = openBrands.includes(major)
  if (isOpen && !allRead) return { kind: 'unknown' }
  if (isOpen || heicBrands.includes(major)) return heic
  if (otherHeifBrands.includes(major)) return { kind: 'other', name: 'a HEIF image', mediaType: 'image/heif' }
  if (major === 'qt  ') return { kind: 'other', name: 'a QuickTime video', mediaType: 'video/quicktime' }
  if (major === 'crx ') return { kind: 'other', name: 'a Canon raw image', mediaType: 'image/x-canon-cr3' }
  if (major.startsWith('M4A')) return { kind: 'other', name: 'an MPEG-4 sound', mediaType: 'audio/mp4' }
  return { kind: 'other', name: 'an MP4 video', mediaType: 'video/mp4' }
}
