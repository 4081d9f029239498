import { hasSignature, uint16, uint8 } from './bytes.ts'
import { exifSignature, readExif } from './exif.ts'
import { broken, image, incomplete, type ImageFacts, type Inspection } from './inspection.ts'

const type = 'image/jpeg'

/** Marker, length, precision, height, width, component count: every JPEG has so many bytes where its frame begins. */
const frameHeaderBytes = 10

const markers = { exif: 0xe1, startOfImage: 0xd8, endOfImage: 0xd9, startOfScan: 0xda }

/** What a marker begins, from its 0xff to where the next one must stand. `marker` 0: there is none. */
type Segment = { at: number; marker: number; end: number }

/**
 * Reads a JPEG (ITU-T T.81, annex B) up to its first frame header, and from there to its pixels only for metadata and
 * contradictions. Segments are stepped over by their length, so that a thumbnail inside of one is never taken for the
 * image. Frames of every coding (SOF0 to SOF15) say their size in the same way and are read; which of them a decoder knows
 * is another question: browsers know the sequential and progressive ones with Huffman codes (SOF0 to SOF2).
 */
export const readJpeg = (bytes: Uint8Array): Inspection => {
  let exif: ImageFacts | undefined
  let from = 2
  for (;;) {
    const segment = readSegment(bytes, from)
    const { at, marker, end } = segment
    if (at + frameHeaderBytes > bytes.length) return incomplete(type, at + frameHeaderBytes)
    const contradiction = findContradiction(segment)
    if (contradiction !== undefined) return broken(type, contradiction)
    if (isFrame(marker)) return readFrame(bytes, segment, exif)
    if (marker === markers.exif) exif = joinExif(exif, readExifSegment(bytes.subarray(at + 4, end)))
    from = end
  }
}

const readSegment = (bytes: Uint8Array, from: number): Segment => {
  const at = skipFillBytes(bytes, from)
  const marker = bytes[at] === 0xff ? uint8(bytes, at + 1) : 0
  return { at, marker, end: at + 2 + (isStandalone(marker) ? 0 : uint16(bytes, at + 2)) }
}

const skipFillBytes = (bytes: Uint8Array, from: number): number => {
  let at = from
  while (bytes[at] === 0xff && bytes[at + 1] === 0xff) at++
  return at
}

/** DHP: its size is not that of any frame, and no decoder in use knows it. SOF55: a format of its own (ITU-T T.87). */
const foreignMarkers = new Map([
  [0xde, 'it is a hierarchical JPEG'],
  [0xf7, 'its pixels are coded as JPEG-LS'],
])

const findContradiction = ({ at, marker, end }: Segment): string | undefined => {
  if (marker === 0) return `there is no marker at byte ${at}, where a segment must begin`
  if (marker === markers.startOfImage) return `a second image begins at byte ${at}, before the dimensions of the first`
  if (marker === markers.endOfImage) return 'it ends before its dimensions are given'
  if (marker === markers.startOfScan) return 'its pixels begin before its dimensions are given'
  const length = end - at - 2
  if (!isStandalone(marker) && length < 2) return `the segment at byte ${at} has the impossible length ${length}`
  return foreignMarkers.get(marker)
}

/** SOF0 to SOF15; DHT, JPG and DAC lie among them. */
const isFrame = (marker: number): boolean =>
  marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc

/** TEM and RST0 to RST7 have no length. */
const isStandalone = (marker: number): boolean => marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7)

/** Decoders turn by the first block alone; whoever looks for GPS data finds it in any. */
const joinExif = (known: ImageFacts | undefined, next: ImageFacts | undefined): ImageFacts | undefined =>
  known !== undefined && next?.hasGps === true ? { ...known, hasGps: true } : (known ?? next)

const readExifSegment = (segment: Uint8Array): ImageFacts | undefined =>
  hasSignature(segment, exifSignature) ? readExif(segment) : undefined

const readFrame = (bytes: Uint8Array, { at, end }: Segment, exif: ImageFacts | undefined): Inspection => {
  const frame = bytes.subarray(at)
  const [precision, components] = [uint8(frame, 4), uint8(frame, 9)]
  if (end - at - 2 !== 8 + 3 * components) return broken(type, 'its frame header has the wrong length')
  if (components === 0) return broken(type, 'it has no colour components')
  if (precision < 2 || precision > 16) return broken(type, `its samples have the impossible size of ${precision} bits`)
  if (bytes.length < end) return incomplete(type, end)
  const height = uint16(frame, 5)
  // T.81 B.2.5: a DNL segment behind the first scan gives it. Hardly a decoder follows, and no header reader can.
  if (height === 0) return broken(type, 'its height is 0 (given behind its pixels, if at all)')
  const facts = readBehindFrame(bytes, end, exif)
  if (facts === undefined) return broken(type, 'it has two frame headers')
  return image(type, { width: uint16(frame, 7), height }, false, facts)
}

/**
 * Facts are settled where the pixels begin: EXIF may stand behind the frame header too. Undefined for a second frame
 * header, of which some readers take the first and others the last.
 */
const readBehindFrame = (bytes: Uint8Array, from: number, known: ImageFacts | undefined): ImageFacts | undefined => {
  let exif = known
  let segment = readSegment(bytes, from)
  for (;;) {
    const { at, marker, end } = segment
    if (isFrame(marker)) return undefined
    if (marker === markers.startOfScan || marker === markers.endOfImage) return exif ?? { hasGps: false }
    if (end > bytes.length || findContradiction(segment) !== undefined) return exif ?? {}
    if (marker === markers.exif) exif = joinExif(exif, readExifSegment(bytes.subarray(at + 4, end)))
    segment = readSegment(bytes, end)
  }
}
