import {
  fourCharacters,
  hasSignature,
  uint16LittleEndian,
  uint24LittleEndian,
  uint32LittleEndian,
  uint8,
} from './bytes.ts'
import { readExif } from './exif.ts'
import { broken, cutOff, image, incomplete, type ImageFacts, type Inspection, type Size } from './inspection.ts'

const type = 'image/webp'

const riffHeaderBytes = 8
const firstChunkAt = 12
const chunkHeaderBytes = 8
const payloadAt = firstChunkAt + chunkHeaderBytes

type Canvas = Size & { animated?: boolean; hasExif?: boolean }
/** What a chunk says, or what is wrong with it. */
type Reading = Canvas | string

/** The three kinds of first chunk (RFC 9649): how many bytes of its payload are read, and how. */
const layouts = new Map([
  ['VP8 ', { payloadBytes: 10, read: (payload: Uint8Array) => readLossy(payload) }],
  ['VP8L', { payloadBytes: 5, read: (payload: Uint8Array) => readLossless(payload) }],
  ['VP8X', { payloadBytes: 10, read: (payload: Uint8Array) => readExtended(payload) }],
])

/** Reads a WebP's canvas from its first chunk, and what the chunks behind it show of metadata and contradictions. */
export const readWebp = (bytes: Uint8Array, fileBytes: number): Inspection => {
  if (bytes.length < payloadAt) return incomplete(type, payloadAt)
  const layout = layouts.get(fourCharacters(bytes, firstChunkAt))
  if (layout === undefined) return broken(type, 'its first chunk is not VP8, VP8L or VP8X')
  const chunkBytes = uint32LittleEndian(bytes, firstChunkAt + 4)
  if (chunkBytes < layout.payloadBytes) return broken(type, `its first chunk has only ${chunkBytes} bytes`)
  // The size in the RIFF header counts from behind itself, and so begins with "WEBP".
  const claimedBytes = riffHeaderBytes + uint32LittleEndian(bytes, 4)
  if (claimedBytes < payloadAt + chunkBytes) return broken(type, 'its first chunk is longer than the file says to be')
  const neededBytes = payloadAt + layout.payloadBytes
  if (bytes.length < neededBytes) return incomplete(type, neededBytes)
  const canvas = layout.read(bytes.subarray(payloadAt))
  if (typeof canvas === 'string') return broken(type, canvas)
  // Bytes behind its end are allowed; too few are a file that was cut off, which decoders refuse.
  if (claimedBytes > fileBytes) return cutOff(type, claimedBytes, fileBytes)
  return readCanvas(canvas, readChunks(bytes.subarray(0, claimedBytes)))
}

/** A still image fills its canvas; the frames of an animation stand inside of chunks of their own, and need not. */
const readCanvas = ({ animated = false, hasExif = false, ...size }: Canvas, { frame, exif }: Chunks): Inspection =>
  frame !== undefined && write(frame) !== write(size)
    ? broken(type, `its canvas is ${write(size)}, but its image ${write(frame)}`)
    : image(type, size, animated, exif ?? (hasExif ? {} : { hasGps: false }))

const write = ({ width, height }: Size): string => `${width} x ${height}`

/** RFC 6386, 9.1: three bytes of frame tag (bit 0 clear in a key frame), a start code, twice 14 bits and 2 of scaling. */
const readLossy = (frame: Uint8Array): Reading => {
  if ((uint8(frame, 0) & 1) !== 0) return 'its first frame is not a key frame'
  if (!hasSignature(frame, '\x9d\x01\x2a', 3)) return 'its frame lacks the start code of VP8'
  return { width: uint16LittleEndian(frame, 6) & 0x3fff, height: uint16LittleEndian(frame, 8) & 0x3fff }
}

/** RFC 9649, 3.4: a signature byte, twice 14 bits of dimension - 1, one bit of alpha and three of version. */
const readLossless = (stream: Uint8Array): Reading => {
  if (uint8(stream, 0) !== 0x2f) return 'its stream lacks the signature of VP8L'
  const bits = uint32LittleEndian(stream, 1)
  if (bits >>> 29 !== 0) return 'its version of VP8L does not exist'
  return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 }
}

/** RFC 9649, 2.7: flags, three reserved bytes, twice 24 bits of dimension - 1. */
const readExtended = (header: Uint8Array): Reading => {
  const flags = uint8(header, 0)
  const size = { width: uint24LittleEndian(header, 4) + 1, height: uint24LittleEndian(header, 7) + 1 }
  if (size.width * size.height > 0xffff_ffff) return 'its canvas has more than 2^32 - 1 pixels'
  return { ...size, animated: (flags & 0x02) !== 0, hasExif: (flags & 0x08) !== 0 }
}

type Chunks = { frame?: Size; exif?: ImageFacts }

/**
 * The image's own size, and its EXIF, whether or not a flag announces it. EXIF stands behind the pixels, mostly beyond
 * the bytes read.
 */
const readChunks = (bytes: Uint8Array): Chunks => {
  const chunks: Chunks = {}
  let at = firstChunkAt
  while (at + chunkHeaderBytes <= bytes.length) {
    const name = fourCharacters(bytes, at)
    const chunkBytes = uint32LittleEndian(bytes, at + 4)
    const end = at + chunkHeaderBytes + chunkBytes
    const payload = bytes.subarray(at + chunkHeaderBytes, end)
    const frame = readFrame(name, payload)
    if (frame !== undefined) chunks.frame ??= frame
    if (name === 'EXIF' && payload.length === chunkBytes) chunks.exif ??= readExif(payload)
    at = end + (chunkBytes & 1)
  }
  return chunks
}

/** What can't be read is left to decoders. */
const readFrame = (name: string, payload: Uint8Array): Size | undefined => {
  const layout = name === 'VP8X' ? undefined : layouts.get(name)
  if (layout === undefined || payload.length < layout.payloadBytes) return undefined
  const frame = layout.read(payload)
  return typeof frame === 'string' ? undefined : frame
}
