import type { ImageType } from '#shared/domain/images/image-types.ts'

import {
  absurdDimensions,
  avifFile,
  fileTypeBox,
  goodPhoto,
  gridImage,
  itemInfo,
  jpegSegment,
  pngChunk,
  singleImage,
  truncatedHeader,
} from './images.ts'
import { withMetadata } from './second-formats.ts'

/** Files at the edge of their formats, about which readers may differ. */
export type EdgeImage = { name: string; bytes: Buffer }

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1')

const changed = (bytes: Buffer, at: number, ...values: number[]): Buffer => {
  const copy = Buffer.from(bytes)
  copy.set(values, at)
  return copy
}

const insert = (file: Buffer, at: number, ...parts: Buffer[]): Buffer =>
  Buffer.concat([file.subarray(0, at), ...parts, file.subarray(at)])

const jpegs = async (): Promise<EdgeImage[]> => {
  const photo = await goodPhoto('image/jpeg')
  const header = absurdDimensions('image/jpeg', 9, 5)
  const [frameAt, scanAt] = [photo.indexOf(latin1('\xff\xc0')), photo.indexOf(latin1('\xff\xda'))]
  const arithmetic = changed(header, header.indexOf(latin1('\xff\xc0')) + 1, 0xc9)
  const lossless = changed(header, header.indexOf(latin1('\xff\xc0')) + 1, 0xc3)
  return [
    { name: 'a JPEG with restart markers before its frame', bytes: insert(photo, 2, latin1('\xff\xd0\xff\xd1')) },
    { name: 'a JPEG with arithmetic coding', bytes: arithmetic },
    { name: 'a lossless JPEG', bytes: lossless },
    { name: 'a JPEG with two frame headers', bytes: insert(photo, frameAt, header.subarray(20, 39)) },
    { name: 'a JPEG whose height stands behind its pixels', bytes: absurdDimensions('image/jpeg', 9, 0) },
    { name: 'a JPEG that ends before its frame', bytes: insert(photo, 2, latin1('\xff\xd9')) },
    { name: 'a JPEG with bytes between its segments', bytes: insert(photo, 20, latin1('??')) },
    { name: 'a JPEG with a comment behind its frame', bytes: insert(photo, scanAt, jpegSegment(0xfe, latin1('x'))) },
  ]
}

const pngs = async (): Promise<EdgeImage[]> => {
  const photo = await goodPhoto('image/png')
  return [
    { name: 'a PNG with a damaged checksum', bytes: changed(photo, 32, (photo[32] ?? 0) ^ 1) },
    { name: "Apple's own PNG", bytes: insert(photo, 8, pngChunk('CgBI', Buffer.from([0x50, 0, 0x20, 2]))) },
    { name: 'a PNG of a colour type that does not exist', bytes: changed(photo, 25, 5) },
    { name: 'a PNG without width', bytes: absurdDimensions('image/png', 0, 9) },
    { name: 'a PNG sent as text', bytes: Buffer.concat([latin1('\x89PNG\n\x1a\n'), photo.subarray(8)]) },
  ]
}

const gifs = async (): Promise<EdgeImage[]> => {
  const photo = await goodPhoto('image/gif')
  return [
    { name: 'a GIF whose picture is wider than its screen', bytes: changed(photo, 6, 10, 0) },
    { name: 'a GIF without a screen', bytes: changed(photo, 6, 0, 0, 0, 0) },
    { name: 'a GIF of another version', bytes: changed(photo, 4, 0x38) },
  ]
}

const webps = async (): Promise<EdgeImage[]> => {
  const photo = await goodPhoto('image/webp')
  const still = absurdDimensions('image/webp', 10, 10)
  return [
    { name: 'a WebP that was cut off', bytes: photo.subarray(0, -2) },
    { name: 'a WebP whose first chunk is longer than the file', bytes: changed(photo, 18, 1) },
    { name: 'a WebP of a chunk that nobody knows', bytes: changed(photo, 15, 0x41) },
    { name: 'a WebP with only a canvas', bytes: still },
  ]
}

const avifs = (): EdgeImage[] => [
  {
    name: 'a HEIC that calls itself AVIF too',
    bytes: avifFile({ ...singleImage(9, 5), items: [itemInfo(1, 'hvc1')] }, fileTypeBox('heic', 'mif1', 'avif')),
  },
  {
    name: 'an AVIF whose primary image is not AV1',
    bytes: avifFile({ ...gridImage, items: [itemInfo(1, 'av01'), itemInfo(3, 'hvc1')] }),
  },
  { name: 'an AVIF without width', bytes: avifFile(singleImage(0, 5)) },
]

const types: ImageType[] = ['image/jpeg', 'image/png', 'image/webp', 'image/gif', 'image/avif']

const polyglots = async (): Promise<EdgeImage[]> =>
  Promise.all(
    types.map(async (type) => ({
      name: `a page inside of ${type}`,
      bytes: withMetadata(type, await goodPhoto(type), latin1('<script>alert(1)</script>')),
    })),
  )

export const edgeImages = async (): Promise<EdgeImage[]> => [
  ...(await jpegs()),
  ...(await pngs()),
  ...(await gifs()),
  ...(await webps()),
  ...avifs(),
  ...(await polyglots()),
  ...types.map((type) => ({ name: `the beginning of ${type}`, bytes: truncatedHeader(type) })),
  ...types.map((type) => ({ name: `absurd dimensions in ${type}`, bytes: absurdDimensions(type, 60_000, 60_000) })),
]
