import { fourCharacters } from './bytes.ts'
import { readBox } from './boxes.ts'

/** The brands of an ISO media file (ISO/IEC 14496-12, 4.3), the major one first, as far as the bytes show them. */
export type Brands = { names: string[]; allRead: boolean }

const brandBytes = 4
/** Real files name about five. */
const maxBrands = 64

/** Undefined for what doesn't begin with an `ftyp` box that has a major brand. */
export const readBrands = (bytes: Uint8Array): Brands | undefined => {
  const reading = readBox(bytes, 0)
  if (reading.kind !== 'box' || reading.box.type !== 'ftyp') return undefined
  const { contentAt, end } = reading.box
  const majorEnd = contentAt + brandBytes
  if (majorEnd > Math.min(end, bytes.length)) return undefined
  const names = [fourCharacters(bytes, contentAt)]
  // Four bytes of minor version stand between the major and the compatible brands.
  let at = majorEnd + 4
  for (; at + brandBytes <= Math.min(end, bytes.length) && names.length < maxBrands; at += brandBytes) {
    names.push(fourCharacters(bytes, at))
  }
  return { names, allRead: at + brandBytes > end || names.length === maxBrands }
}
