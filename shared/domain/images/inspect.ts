import { readAvif } from './avif.ts'
import { readBrands } from './brands.ts'
import { hasSignature } from './bytes.ts'
import { readGif } from './gif.ts'
import type { Inspection } from './inspection.ts'
import { readJpeg } from './jpeg.ts'
import { nameMedia, nameOther } from './other.ts'
import { readPng } from './png.ts'
import { readWebp } from './webp.ts'

export type { Inspection } from './inspection.ts'

/**
 * Says what a file is by its first bytes, without decoding it. Any bytes have an answer; the work is bounded by their
 * number. 64 KB show the dimensions of all but a few images.
 */
export const inspectImage = (bytes: Uint8Array): Inspection => {
  if (hasSignature(bytes, '\xff\xd8\xff')) return readJpeg(bytes)
  if (hasSignature(bytes, '\x89PNG')) return readPng(bytes)
  if (hasSignature(bytes, 'GIF8')) return readGif(bytes)
  if (hasSignature(bytes, 'RIFF????WEBP')) return readWebp(bytes)
  const brands = readBrands(bytes)
  if (brands === undefined) return nameOther(bytes)
  return brands.names.some(isAvifBrand) ? readAvif(bytes, brands.names) : nameMedia(brands)
}

const isAvifBrand = (brand: string): boolean => brand === 'avif' || brand === 'avis'
