import { fourCharacters, hasSignature, uint32 } from './bytes.ts'
import { readExif } from './exif.ts'
import { broken, image, incomplete, type ImageFacts, type Inspection } from './inspection.ts'

const type = 'image/png'

/** Its last four bytes are there to show a transfer that converted line ends. */
const signature = '\x89PNG\r\n\x1a\n'
const headerAt = signature.length
const headerBytes = 13
const chunkOverheadBytes = 12
const firstChunkEnd = headerAt + headerBytes + chunkOverheadBytes
const maxDimension = 0x7fff_ffff

/** The bit depths that each colour type allows (PNG, third edition, 11.2.1). */
const bitDepths = new Map([
  [0, [1, 2, 4, 8, 16]],
  [2, [8, 16]],
  [3, [1, 2, 4, 8]],
  [4, [8, 16]],
  [6, [8, 16]],
])

/** Reads a PNG's IHDR, and of the chunks behind it what they say of animation (acTL) and metadata (eXIf). */
export const readPng = (bytes: Uint8Array): Inspection => {
  if (bytes.length < firstChunkEnd) return incomplete(type, firstChunkEnd)
  const contradiction = findContradiction(bytes)
  if (contradiction !== undefined) return broken(type, contradiction)
  const { animated, facts } = readChunks(bytes)
  return image(type, { width: uint32(bytes, 16), height: uint32(bytes, 20) }, animated, facts)
}

const findContradiction = (bytes: Uint8Array): string | undefined => {
  if (!hasSignature(bytes, signature)) return 'its signature is damaged, as by a transfer as text'
  const first = fourCharacters(bytes, headerAt + 4)
  if (first === 'CgBI') return "its first chunk is not IHDR but CgBI: this is Apple's own variant, for iOS alone"
  if (first !== 'IHDR') return 'its first chunk is not IHDR'
  if (uint32(bytes, headerAt) !== headerBytes) return `its IHDR chunk does not have ${headerBytes} bytes`
  const crc = crc32(bytes.subarray(headerAt + 4, firstChunkEnd - 4))
  if (crc !== uint32(bytes, firstChunkEnd - 4)) return "its IHDR chunk's checksum is wrong"
  if (uint32(bytes, 16) > maxDimension || uint32(bytes, 20) > maxDimension) return 'a dimension is 2^31 or more'
  return findIllegalFormat(bytes.subarray(24, 29))
}

const findIllegalFormat = (format: Uint8Array): string | undefined => {
  const [bitDepth = 0, colourType = 0, compression, filter, interlace = 0] = format
  const allowed = bitDepths.get(colourType)
  if (allowed === undefined) return `its colour type ${colourType} does not exist`
  if (!allowed.includes(bitDepth)) return `its colour type ${colourType} does not go with ${bitDepth} bits`
  if (compression !== 0 || filter !== 0 || interlace > 1) return 'its compression, filter or interlace does not exist'
  return undefined
}

const crc32 = (bytes: Uint8Array): number => {
  let crc = 0xffff_ffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb8_8320 : 0)
  }
  return ~crc >>> 0
}

const readChunks = (bytes: Uint8Array): { animated: boolean; facts: ImageFacts } => {
  let animated = false
  let pixelsSeen = false
  let exif: ImageFacts | undefined
  let at = firstChunkEnd
  while (at + chunkOverheadBytes <= bytes.length) {
    const name = fourCharacters(bytes, at + 4)
    const end = at + chunkOverheadBytes + uint32(bytes, at)
    if (name === 'acTL' && !pixelsSeen) animated = true
    if (name === 'IDAT') pixelsSeen = true
    if (name === 'eXIf' && end <= bytes.length) exif ??= readExif(bytes.subarray(at + 8, end - 4))
    // eXIf may also stand behind the pixels, so only IEND proves that there is none.
    if (name === 'IEND') return { animated, facts: exif ?? { hasGps: false } }
    at = end
  }
  return { animated, facts: exif ?? {} }
}
