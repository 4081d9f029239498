import type { Brands } from './brands.ts'
import { hasSignature } from './bytes.ts'
import { heic, type Inspection } from './inspection.ts'
import { isPdf } from './pdf.ts'
import { nameText } from './text.ts'

type Signature = [signature: string, name: string, mediaType?: string]

/** One character per byte, `?` for any. */
const signatures: Signature[] = [
  ['%!PS', 'a PostScript file', 'application/postscript'],
  ['\xc5\xd0\xd3\xc6', 'a PostScript file', 'application/postscript'],
  ['{\\rtf', 'an RTF document', 'application/rtf'],
  ['PK\x03\x04', 'a ZIP archive', 'application/zip'],
  ['PK\x05\x06', 'a ZIP archive', 'application/zip'],
  ['PK\x07\x08', 'a ZIP archive', 'application/zip'],
  ['?'.repeat(257) + 'ustar', 'a tar archive', 'application/x-tar'],
  ['\x1f\x8b', 'a gzip archive', 'application/gzip'],
  ['BZh', 'a bzip2 archive', 'application/x-bzip2'],
  ['\xfd7zXZ\0', 'an xz archive', 'application/x-xz'],
  ['\x28\xb5\x2f\xfd', 'a Zstandard archive', 'application/zstd'],
  ['7z\xbc\xaf\x27\x1c', 'a 7-Zip archive', 'application/x-7z-compressed'],
  ['Rar!\x1a\x07', 'a RAR archive', 'application/vnd.rar'],
  ['\x04\x22\x4d\x18', 'an LZ4 archive', 'application/x-lz4'],
  ['MSCF\0\0\0\0', 'a CAB archive', 'application/vnd.ms-cab-compressed'],
  ['!<arch>\n', 'a Unix archive', 'application/x-archive'],
  ['\xed\xab\xee\xdb', 'an RPM package', 'application/x-rpm'],
  // QuickTime before it had brands. Its first length may read as an icon's signature.
  ['????moov', 'a QuickTime video', 'video/quicktime'],
  ['????mdat', 'a QuickTime video', 'video/quicktime'],
  ['????wide', 'a QuickTime video', 'video/quicktime'],
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
  ['II\xbc', 'a JPEG XR image', 'image/jxr'],
  ['IIRO', 'an Olympus raw image', 'image/x-olympus-orf'],
  ['IIRS', 'an Olympus raw image', 'image/x-olympus-orf'],
  ['IIU\0', 'a Panasonic raw image', 'image/x-panasonic-rw2'],
  ['FUJIFILMCCD-RAW', 'a Fujifilm raw image', 'image/x-fujifilm-raf'],
  ['gimp xcf', 'a GIMP image', 'image/x-xcf'],
  ['#?RADIANCE', 'a Radiance image', 'image/vnd.radiance'],
  ['SIMPLE  =', 'a FITS image', 'image/fits'],
  ['v/1\x01', 'an OpenEXR image', 'image/x-exr'],
  ['qoif', 'a QOI image', 'image/qoi'],
  ['DDS ', 'a DirectDraw surface', 'image/vnd.ms-dds'],
  ['BPG\xfb', 'a BPG image', 'image/bpg'],
  ['\x8bJNG\r\n\x1a\n', 'a JNG image', 'image/x-jng'],
  ['\x8aMNG\r\n\x1a\n', 'an MNG animation', 'video/x-mng'],
  ['AT&TFORM', 'a DjVu document', 'image/vnd.djvu'],
  ['\xd7\xcd\xc6\x9a', 'a Windows metafile', 'image/wmf'],
  ['\x01\0\0\0' + '?'.repeat(36) + ' EMF', 'a Windows metafile', 'image/emf'],
  ['?'.repeat(128) + 'DICM', 'a DICOM image', 'application/dicom'],
  ['RIFF????WAVE', 'a WAV sound', 'audio/wav'],
  ['RIFF????AVI ', 'an AVI video', 'video/x-msvideo'],
  ['\x1a\x45\xdf\xa3', 'a Matroska or WebM video', 'video/x-matroska'],
  ['OggS', 'an Ogg file', 'application/ogg'],
  ['fLaC', 'a FLAC sound', 'audio/flac'],
  ['ID3', 'an MP3 sound', 'audio/mpeg'],
  ['#!AMR', 'an AMR sound', 'audio/amr'],
  ['MThd', 'a MIDI file', 'audio/midi'],
  ['FLV\x01', 'a Flash video', 'video/x-flv'],
  ['\x30\x26\xb2\x75\x8e\x66\xcf\x11', 'a Windows Media file', 'video/x-ms-asf'],
  ['\0\0\x01\xba', 'an MPEG video', 'video/mpeg'],
  ['\0\0\x01\xb3', 'an MPEG video', 'video/mpeg'],
  ['\x7fELF', 'an ELF executable', 'application/x-elf'],
  ['\xfe\xed\xfa\xce', 'a Mach-O executable', 'application/x-mach-binary'],
  ['\xfe\xed\xfa\xcf', 'a Mach-O executable', 'application/x-mach-binary'],
  ['\xce\xfa\xed\xfe', 'a Mach-O executable', 'application/x-mach-binary'],
  ['\xcf\xfa\xed\xfe', 'a Mach-O executable', 'application/x-mach-binary'],
  ['\xca\xfe\xba\xbf', 'a Mach-O executable', 'application/x-mach-binary'],
  // Two formats share this signature: Apple's for several processors, and Java's.
  ['\xca\xfe\xba\xbe', 'a Mach-O executable or Java class'],
  ['\0asm', 'a WebAssembly module', 'application/wasm'],
  ['dex\n', 'an Android executable', 'application/vnd.android.dex'],
  ['L\0\0\0\x01\x14\x02\0', 'a Windows shortcut', 'application/x-ms-shortcut'],
  ['SQLite format 3\0', 'an SQLite database', 'application/vnd.sqlite3'],
  ['\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1', 'an old Office document', 'application/x-ole-storage'],
]

/** So few bytes that a text may begin with them as well: they count only in what is no text. */
const weakSignatures: Signature[] = [
  ['MZ', 'a Windows executable', 'application/vnd.microsoft.portable-executable'],
  ['BM', 'a BMP image', 'image/bmp'],
  ['icns', 'an Apple icon', 'image/icns'],
  ['P4\n', 'a PNM image', 'image/x-portable-anymap'],
  ['P5\n', 'a PNM image', 'image/x-portable-anymap'],
  ['P6\n', 'a PNM image', 'image/x-portable-anymap'],
  ['FWS', 'a Flash program', 'application/vnd.adobe.flash.movie'],
  ['CWS', 'a Flash program', 'application/vnd.adobe.flash.movie'],
  ['\xff\xfb', 'an MP3 sound', 'audio/mpeg'],
  ['\xff\xf3', 'an MP3 sound', 'audio/mpeg'],
  ['\xff\xf1', 'an AAC sound', 'audio/aac'],
  ['\xff\xf9', 'an AAC sound', 'audio/aac'],
  ['G' + '?'.repeat(187) + 'G' + '?'.repeat(187) + 'G', 'an MPEG video', 'video/mp2t'],
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
const openBrands = ['mif1', 'mif2', 'mif3', 'msf1', 'miaf', '1pic']

/**
 * Names an ISO media file by its brands, none of which is AVIF's so far. The major one may be another's that only says more:
 * of a profile, or of an HDR image. Unknown while a brand that is not read may be AVIF's.
 */
export const nameMedia = ({ names, allRead }: Brands): Inspection => {
  const [major = ''] = names
  if (heicBrands.includes(major)) return heic
  if (otherHeifBrands.includes(major)) return heif
  const video = nameVideo(major)
  if (video !== undefined) return video
  if (!allRead && openBrands.includes(major)) return { kind: 'unknown' }
  if (names.some((name) => heicBrands.includes(name))) return heic
  if (names.some((name) => openBrands.includes(name))) return heif
  return { kind: 'other', name: 'an MP4 video', mediaType: 'video/mp4' }
}

const heif: Inspection = { kind: 'other', name: 'a HEIF image', mediaType: 'image/heif' }

const nameVideo = (major: string): Inspection | undefined => {
  if (major === 'qt  ') return { kind: 'other', name: 'a QuickTime video', mediaType: 'video/quicktime' }
  if (major === 'crx ') return { kind: 'other', name: 'a Canon raw image', mediaType: 'image/x-canon-cr3' }
  if (/^M4[AB]/.test(major)) return { kind: 'other', name: 'an MPEG-4 sound', mediaType: 'audio/mp4' }
  return undefined
}
