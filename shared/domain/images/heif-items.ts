import { childBoxes } from './boxes.ts'
import { fourCharacters, uint16, uint32, uint64, uint8 } from './bytes.ts'

/*
 * The items of a HEIF file (ISO/IEC 23008-12 and 14496-12, 8.11): who they are (iinf), which is primary (pitm), what
 * properties they have (iprp) and where their bytes lie (iloc). Each function takes a box's content, which must be whole.
 */

export type Item = { id: number; type: string }
export type Property = { type: string; content: Uint8Array }
export type Extent = { at: number; end: number }

/** Ids have 16 bits in a box's first versions and 32 later. */
const readId = (content: Uint8Array, at: number, isLong: boolean): number =>
  isLong ? uint32(content, at) : uint16(content, at)

const versionOf = (content: Uint8Array): number => uint8(content, 0)

export const readPrimaryId = (pitm: Uint8Array): number => readId(pitm, 4, versionOf(pitm) > 0)

export const readItems = (iinf: Uint8Array): Item[] => {
  const items: Item[] = []
  for (const { type, content } of childBoxes(iinf, versionOf(iinf) > 0 ? 8 : 6)) {
    const isLong = versionOf(content) > 2
    // Version, flags, id and 16 bits of protection index stand before the type.
    if (type === 'infe') items.push({ id: readId(content, 4, isLong), type: fourCharacters(content, isLong ? 10 : 8) })
  }
  return items
}

/** The properties associated with an item, in the order in which they apply. */
export const readProperties = (iprp: Uint8Array, itemId: number): Property[] => {
  const properties: Property[] = []
  const indexes: number[] = []
  for (const { type, content } of childBoxes(iprp)) {
    if (type === 'ipco') for (const property of childBoxes(content)) properties.push(property)
    if (type === 'ipma') collectIndexes(content, itemId, indexes)
  }
  // Indexes begin with 1; 0 means none.
  return indexes.map((index) => properties[index - 1]).filter((property) => property !== undefined)
}

const collectIndexes = (ipma: Uint8Array, itemId: number, indexes: number[]): void => {
  const hasLongIds = versionOf(ipma) > 0
  const indexBytes = (uint8(ipma, 3) & 1) === 0 ? 1 : 2
  let at = 8
  while (at < ipma.length) {
    const countAt = at + (hasLongIds ? 4 : 2)
    const end = countAt + 1 + uint8(ipma, countAt) * indexBytes
    const isWanted = readId(ipma, at, hasLongIds) === itemId
    // The top bit says whether a reader must know the property.
    for (let i = countAt + 1; isWanted && i < Math.min(end, ipma.length); i += indexBytes) {
      indexes.push(indexBytes === 1 ? uint8(ipma, i) & 0x7f : uint16(ipma, i) & 0x7fff)
    }
    at = end
  }
}

/** Where in the file an item lies; undefined unless it lies there in one piece. */
export const readLocation = (iloc: Uint8Array, itemId: number): Extent | undefined => {
  const version = versionOf(iloc)
  const [offsetBytes, lengthBytes] = nibbles(uint8(iloc, 4))
  const [baseBytes, indexBytes] = nibbles(uint8(iloc, 5))
  const extentBytes = (version > 0 ? indexBytes : 0) + offsetBytes + lengthBytes
  let at = version > 1 ? 10 : 8
  while (at < iloc.length) {
    const methodAt = at + (version > 1 ? 4 : 2)
    const baseAt = methodAt + (version > 0 ? 4 : 2)
    const countAt = baseAt + baseBytes
    const extents = uint16(iloc, countAt)
    if (readId(iloc, at, version > 1) === itemId) {
      const isInFile = version === 0 || (uint16(iloc, methodAt) & 0xf) === 0
      const offsetAt = countAt + 2 + extentBytes - offsetBytes - lengthBytes
      const start = readSized(iloc, baseAt, baseBytes) + readSized(iloc, offsetAt, offsetBytes)
      const end = start + readSized(iloc, offsetAt + offsetBytes, lengthBytes)
      return isInFile && extents === 1 ? { at: start, end } : undefined
    }
    at = countAt + 2 + extents * extentBytes
  }
  return undefined
}

const nibbles = (byte: number): [number, number] => [byte >>> 4, byte & 0xf]

const readSized = (content: Uint8Array, at: number, sizeBytes: number): number => {
  if (sizeBytes === 4) return uint32(content, at)
  return sizeBytes === 8 ? uint64(content, at) : 0
}
