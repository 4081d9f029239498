import { findBoxes, readBox, type Box } from './boxes.ts'
import { uint32, uint8 } from './bytes.ts'
import { readExif } from './exif.ts'
import { readItems, readLocation, readPrimaryId, readProperties, type Item, type Property } from './heif-items.ts'
import { broken, cutOff, heic, image, incomplete, type ImageFacts, type Inspection } from './inspection.ts'

const type = 'image/avif'
const neededBoxes = ['pitm', 'iinf', 'iprp']

/**
 * Reads an AVIF's dimensions from its `meta` box: the spatial extents (`ispe`) of the primary item, which for a grid
 * are those of the whole and not of a tile. An image sequence without a still image (no `meta`) is not read.
 */
export const readAvif = (bytes: Uint8Array, brands: string[], fileBytes: number): Inspection => {
  const file = findBoxes(bytes, 0, Infinity, ['meta'])
  if (file.kind !== 'found') return { ...file, type }
  return readMetaBox(bytes, brands, file.boxes.get('meta') ?? noBox, fileBytes)
}

const noBox: Box = { type: '', contentAt: 0, end: 0 }

const readMetaBox = (bytes: Uint8Array, brands: string[], { contentAt, end }: Box, fileBytes: number): Inspection => {
  if (end > fileBytes && end !== Infinity) return incomplete(type, end)
  // Four bytes of version and flags stand before the boxes inside.
  const meta = findBoxes(bytes, contentAt + 4, end, neededBoxes)
  if (meta.kind !== 'found') return { ...meta, type }
  const neededBytes = Math.max(...neededBoxes.map((name) => meta.boxes.get(name)?.end ?? 0))
  if (neededBytes === Infinity) return broken(type, 'a box inside its meta box has no length')
  if (neededBytes > bytes.length) return incomplete(type, neededBytes)
  const pixelsEnd = findPixelsEnd(bytes, end)
  if (pixelsEnd > fileBytes) return cutOff(type, pixelsEnd, fileBytes)
  // Where metadata lies; it may stand behind the others, and an image without it is none the worse.
  const locations = findBoxes(bytes, contentAt + 4, end, ['iloc'])
  const boxes = locations.kind === 'found' ? new Map([...meta.boxes, ...locations.boxes]) : meta.boxes
  return readMeta(bytes, boxes, brands.includes('avis'))
}

/** The end of the pixels, if they stand next: what is none of ISO's boxes may follow the last. */
const findPixelsEnd = (bytes: Uint8Array, at: number): number => {
  const reading = readBox(bytes, at)
  if (reading.kind !== 'box' || reading.box.type !== 'mdat' || reading.box.end === Infinity) return 0
  return reading.box.end
}

/** Images that are made up of others: a grid, an overlay, an image unchanged (ISO/IEC 23008-12, 6.6.2). */
const derivedImages = ['grid', 'iovl', 'iden']

const isAv1 = (items: Item[], primary: Item): boolean =>
  items.some((item) => item.type === 'av01') && (primary.type === 'av01' || derivedImages.includes(primary.type))

/** Some HEIC files name the brand too. */
const notAv1 = (items: Item[]): Inspection =>
  items.some((item) => item.type === 'hvc1') ? heic : broken(type, 'its image is not coded as AV1')

const readMeta = (bytes: Uint8Array, boxes: Map<string, Box>, animated: boolean): Inspection => {
  const items = readItems(contentOf(bytes, boxes.get('iinf')))
  const primaryId = readPrimaryId(contentOf(bytes, boxes.get('pitm')))
  const primary = items.find((item) => item.id === primaryId)
  if (primary === undefined) return broken(type, 'its primary image is none of its items')
  if (!isAv1(items, primary)) return notAv1(items)
  const properties = readProperties(contentOf(bytes, boxes.get('iprp')), primaryId)
  const extents = properties.find((property) => property.type === 'ispe')?.content
  if (extents === undefined || extents.length < 12) return broken(type, 'its primary image has no dimensions')
  const size = { width: uint32(extents, 4), height: uint32(extents, 8) }
  const facts = { ...findOrientation(properties), ...findGps(bytes, items, contentOf(bytes, boxes.get('iloc'))) }
  return image(type, size, animated, facts)
}

/** Nothing of a box that is not whole. */
const contentOf = (bytes: Uint8Array, box: Box | undefined): Uint8Array =>
  box === undefined || box.end > bytes.length ? new Uint8Array() : bytes.subarray(box.contentAt, box.end)

/** EXIF's orientation for each number of quarter turns (against the clock) and what is mirrored after them. */
const orientations = {
  nothing: [1, 8, 3, 6],
  topAndBottom: [4, 5, 2, 7],
  leftAndRight: [2, 7, 4, 5],
}

/** Only `irot` and `imir` turn an AVIF; the orientation in its EXIF is of no effect (ISO/IEC 23000-22, 7.3.6.7). */
const findOrientation = (properties: Property[]): ImageFacts => {
  const rotation = properties.find((property) => property.type === 'irot')?.content
  const mirror = properties.find((property) => property.type === 'imir')?.content
  if (rotation === undefined && mirror === undefined) return {}
  const orientation = orientations[nameMirrored(mirror)][rotation === undefined ? 0 : uint8(rotation, 0) & 3]
  return orientation === undefined ? {} : { orientation }
}

const nameMirrored = (mirror: Uint8Array | undefined): keyof typeof orientations => {
  if (mirror === undefined) return 'nothing'
  return (uint8(mirror, 0) & 1) === 0 ? 'topAndBottom' : 'leftAndRight'
}

const findGps = (bytes: Uint8Array, items: Item[], iloc: Uint8Array): ImageFacts => {
  const exif = items.find((item) => item.type === 'Exif')
  if (exif === undefined) return { hasGps: false }
  const location = readLocation(iloc, exif.id)
  if (location === undefined || location.end > bytes.length) return {}
  const content = bytes.subarray(location.at, location.end)
  // The first four bytes say how far behind them the TIFF structure begins.
  const { hasGps } = readExif(content.subarray(4 + uint32(content, 0)))
  return hasGps === undefined ? {} : { hasGps }
}
