import { hasSignature, uint16, uint8 } from './bytes.ts'
import { exifSignature, readExif } from './exif.ts'
import { broken, image, incomplete, type ImageFacts, type Inspection } from './inspection.ts'

const type = 'image/jpeg'

/** Marker, length, precision, height, width, component count: every JPEG has so many bytes where its frame begins. */
const frameHeaderBytes = 10

const markers = { exif: 0xe1, startOfImage: 0xd8, endOfImage: 0xd9, startOfScan: 0xda }

/**
 * Reads a JPEG (ITU-T T.81, annex B) up to its first frame header. Segments are stepped over by their length, so that
 * a thumbnail inside of one is never taken for the image.
 */
export const readJpeg = (bytes: Uint8Array): Inspection => {
  let exif: ImageFacts | undefined
  let at = 2
  for (;;) {
    at = skipFillBytes(bytes, at)
    if (at + frameHeaderBytes > bytes.length) return incomplete(type, at + frameHeaderBytes)
    const marker = uint8(bytes, at + 1)
    const contradiction = findContradiction(bytes, at)
    if (contradiction !== undefined) return broken(type, contradiction)
    if (isFrame(marker)) return readFrame(bytes, at, exif ?? { hasGps: false })
    if (isStandalone(marker)) {
      at += 2
      continue
    }
    const end = at + 2 + uint16(bytes, at + 2)
    if (marker === markers.exif) exif ??= readExifSegment(bytes.subarray(at + 4, end))
    at = end
  }
}

const skipFillBytes = (bytes: Uint8Array, from: number): number => {
  let at = from
  while (bytes[at] === 0xff && bytes[at + 1] === 0xff) at++
  return at
}

const findContradiction = (bytes: Uint8Array, at: number): string | undefined => {
  const marker = uint8(bytes, at + 1)
  if (bytes[at] !== 0xff || marker === 0) return `there is no marker at byte ${at}, where a segment must begin`
  if (marker === markers.startOfImage) return `a second image begins at byte ${at}, before the dimensions of the first`
  if (marker === markers.endOfImage) return 'it ends before its dimensions are given'
  if (marker === markers.startOfScan) return 'its pixels begin before its dimensions are given'
  const length = uint16(bytes, at + 2)
  if (!isStandalone(marker) && length < 2) return `the segment at byte ${at} has the impossible length ${length}`
  return undefined
}

/** SOF0 to SOF15; DHT, JPG and DAC lie among them. */
const isFrame = (marker: number): boolean =>
  marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc

/** TEM and RST0 to RST7 have no length. */
const isStandalone = (marker: number): boolean => marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7)

const readExifSegment = (segment: Uint8Array): ImageFacts | undefined =>
  hasSignature(segment, exifSignature) ? readExif(segment) : undefined

const readFrame = (bytes: Uint8Array, at: number, facts: ImageFacts): Inspection => {
  const frame = bytes.subarray(at)
  const length = uint16(frame, 2)
  if (length !== 8 + 3 * uint8(frame, 9)) return broken(type, 'its frame header has the wrong length')
  if (frame.length < 2 + length) return incomplete(type, at + 2 + length)
  const height = uint16(frame, 5)
  // T.81 B.2.5: a DNL segment behind the first scan gives it. Hardly a decoder follows, and no header reader can.
  if (height === 0) return broken(type, 'its height is 0 (given behind its pixels, if at all)')
  return image(type, { width: uint16(frame, 7), height }, false, facts)
}
