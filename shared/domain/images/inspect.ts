import { readAvif } from './avif.ts'
import { readBrands } from './brands.ts'
import { hasSignature } from './bytes.ts'
import { readGif } from './gif.ts'
import type { Inspection } from './inspection.ts'
import { readJpeg } from './jpeg.ts'
import { nameMedia, nameOther } from './other.ts'
import { readPng } from './png.ts'
import { findSecondFormat } from './polyglots.ts'
import { readWebp } from './webp.ts'

export type { Inspection } from './inspection.ts'

/**
 * Says what a file is by its first bytes, without decoding it. Any bytes have an answer; the work is bounded by their
 * number. 64 KB show the dimensions of all but a few images. `fileBytes`: how many the whole file has, where that is known.
 */
export const inspectImage = (bytes: Uint8Array, fileBytes = Infinity): Inspection => {
  const inspection = readHeader(bytes, fileBytes)
  if (inspection.kind !== 'image') return inspection
  const second = findSecondFormat(bytes, inspection.type)
  return second === undefined ? inspection : { kind: 'polyglot', type: inspection.type, ...second }
}

const readHeader = (bytes: Uint8Array, fileBytes: number): Inspection => {
  if (hasSignature(bytes, '\xff\xd8\xff')) return readJpeg(bytes)
  if (hasSignature(bytes, '\x89PNG')) return readPng(bytes)
  if (hasSignature(bytes, 'GIF8')) return readGif(bytes)
  if (hasSignature(bytes, 'RIFF????WEBP')) return readWebp(bytes, fileBytes)
  const brands = readBrands(bytes)
  if (brands === undefined) return nameOther(bytes)
  return brands.names.some(isAvifBrand) ? readAvif(bytes, brands.names, fileBytes) : nameMedia(brands)
}

const isAvifBrand = (brand: string): boolean => brand === 'avif' || brand === 'avis'
