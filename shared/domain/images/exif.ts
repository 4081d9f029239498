import { hasSignature, uint16, uint16LittleEndian, uint32, uint32LittleEndian } from './bytes.ts'
import type { ImageFacts } from './inspection.ts'

/** What stands before the TIFF structure in a JPEG's APP1 segment, and in some WebP and AVIF files. */
export const exifSignature = 'Exif\0\0'

const orientationTag = 0x0112
const gpsDirectoryTag = 0x8825
const gpsVersionTag = 0
const shortType = 3
const entryBytes = 12

type Reader = { bytes: Uint8Array; short: (at: number) => number; long: (at: number) => number }
type Entry = { tag: number; type: number; valueAt: number }

/**
 * Orientation and presence of GPS data in an EXIF block (TIFF structure, CIPA DC-008), which must be whole.
 * A block that can't be read has no facts.
 */
export const readExif = (block: Uint8Array): ImageFacts => {
  const reader = openTiff(hasSignature(block, exifSignature) ? block.subarray(exifSignature.length) : block)
  if (reader === undefined) return {}
  const entries = readDirectory(reader, reader.long(4))
  if (entries === undefined) return {}
  return { ...findOrientation(reader, entries), ...findGps(reader, entries) }
}

const openTiff = (bytes: Uint8Array): Reader | undefined => {
  if (hasSignature(bytes, 'II*\0')) {
    return { bytes, short: (at) => uint16LittleEndian(bytes, at), long: (at) => uint32LittleEndian(bytes, at) }
  }
  if (hasSignature(bytes, 'MM\0*')) return { bytes, short: (at) => uint16(bytes, at), long: (at) => uint32(bytes, at) }
  return undefined
}

const readDirectory = ({ bytes, short }: Reader, at: number): Entry[] | undefined => {
  const roomFor = Math.floor((bytes.length - at - 2) / entryBytes)
  if (roomFor < 0) return undefined
  return Array.from({ length: Math.min(short(at), roomFor) }, (_, index) => {
    const entryAt = at + 2 + index * entryBytes
    return { tag: short(entryAt), type: short(entryAt + 2), valueAt: entryAt + 8 }
  })
}

const findOrientation = ({ short }: Reader, entries: Entry[]): ImageFacts => {
  const entry = entries.find(({ tag, type }) => tag === orientationTag && type === shortType)
  const orientation = entry === undefined ? 0 : short(entry.valueAt)
  return orientation >= 1 && orientation <= 8 ? { orientation } : {}
}

/** Some cameras write a GPS directory that holds its version and nothing else: that is no GPS data. */
const findGps = (reader: Reader, entries: Entry[]): ImageFacts => {
  const pointer = entries.find(({ tag }) => tag === gpsDirectoryTag)
  if (pointer === undefined) return { hasGps: false }
  const directory = readDirectory(reader, reader.long(pointer.valueAt))
  return directory === undefined ? {} : { hasGps: directory.some(({ tag }) => tag !== gpsVersionTag) }
}
