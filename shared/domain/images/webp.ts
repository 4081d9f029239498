import {
  fourCharacters,
  hasSignature,
  uint16LittleEndian,
  uint24LittleEndian,
  uint32LittleEndian,
  uint8,
} from './bytes.ts'
import { readExif } from './exif.ts'
import { broken, image, incomplete, type ImageFacts, type Inspection } from './inspection.ts'

const type = 'image/webp'

const firstChunkAt = 12
const chunkHeaderBytes = 8
const payloadAt = firstChunkAt + chunkHeaderBytes
const noGps: ImageFacts = { hasGps: false }

/** The three kinds of first chunk (RFC 9649): how many bytes of its payload are read, and how. */
const layouts = new Map([
  ['VP8 ', { payloadBytes: 10, read: (bytes: Uint8Array) => readLossy(bytes.subarray(payloadAt)) }],
  ['VP8L', { payloadBytes: 5, read: (bytes: Uint8Array) => readLossless(bytes.subarray(payloadAt)) }],
  ['VP8X', { payloadBytes: 10, read: (bytes: Uint8Array) => readExtended(bytes) }],
])

/** Reads a WebP's canvas from its first chunk. */
export const readWebp = (bytes: Uint8Array): Inspection => {
  if (bytes.length < payloadAt) return incomplete(type, payloadAt)
  const layout = layouts.get(fourCharacters(bytes, firstChunkAt))
  if (layout === undefined) return broken(type, 'its first chunk is not VP8, VP8L or VP8X')
  const chunkBytes = uint32LittleEndian(bytes, firstChunkAt + 4)
  if (chunkBytes < layout.payloadBytes) return broken(type, `its first chunk has only ${chunkBytes} bytes`)
  // The size in the RIFF header counts from behind itself, and so begins with "WEBP".
  if (uint32LittleEndian(bytes, 4) < 4 + chunkHeaderBytes + chunkBytes) {
    return broken(type, 'its first chunk is longer than the file says to be')
  }
  const neededBytes = payloadAt + layout.payloadBytes
  return bytes.length < neededBytes ? incomplete(type, neededBytes) : layout.read(bytes)
}

/** RFC 6386, 9.1: three bytes of frame tag (bit 0 clear in a key frame), a start code, twice 14 bits and 2 of scaling. */
const readLossy = (frame: Uint8Array): Inspection => {
  if ((uint8(frame, 0) & 1) !== 0) return broken(type, 'its first frame is not a key frame')
  if (!hasSignature(frame, '\x9d\x01\x2a', 3)) return broken(type, 'its frame lacks the start code of VP8')
  const size = { width: uint16LittleEndian(frame, 6) & 0x3fff, height: uint16LittleEndian(frame, 8) & 0x3fff }
  return image(type, size, false, noGps)
}

/** RFC 9649, 3.4: a signature byte, twice 14 bits of dimension - 1, one bit of alpha and three of version. */
const readLossless = (stream: Uint8Array): Inspection => {
  if (uint8(stream, 0) !== 0x2f) return broken(type, 'its stream lacks the signature of VP8L')
  const bits = uint32LittleEndian(stream, 1)
  if (bits >>> 29 !== 0) return broken(type, 'its version of VP8L does not exist')
  return image(type, { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 }, false, noGps)
}

/** RFC 9649, 2.7: flags, three reserved bytes, twice 24 bits of dimension - 1. */
const readExtended = (bytes: Uint8Array): Inspection => {
  const flags = uint8(bytes, payloadAt)
  const [hasExif, animated] = [(flags & 0x08) !== 0, (flags & 0x02) !== 0]
  const width = uint24LittleEndian(bytes, payloadAt + 4) + 1
  const height = uint24LittleEndian(bytes, payloadAt + 7) + 1
  if (width * height > 0xffff_ffff) return broken(type, 'its canvas has more than 2^32 - 1 pixels')
  return image(type, { width, height }, animated, hasExif ? findExif(bytes) : noGps)
}

/** Its chunk stands behind the pixels, mostly beyond the bytes read. */
const findExif = (bytes: Uint8Array): ImageFacts => {
  let at = firstChunkAt
  while (at + chunkHeaderBytes <= bytes.length) {
    const chunkBytes = uint32LittleEndian(bytes, at + 4)
    const end = at + chunkHeaderBytes + chunkBytes
    if (fourCharacters(bytes, at) === 'EXIF' && end <= bytes.length) {
      return readExif(bytes.subarray(at + chunkHeaderBytes, end))
    }
    at = end + (chunkBytes & 1)
  }
  return {}
}
