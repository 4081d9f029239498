import { crc32 } from 'node:zlib'

import sharp, { type Sharp } from 'sharp'

import type { ImageType } from '#shared/domain/images/image-types.ts'

/** An image, and what an inspection has to say of it. `madeByHand`: its pixels are no picture that a decoder would take. */
export type ImageSample = {
  name: string
  bytes: Buffer
  type: ImageType
  width: number
  height: number
  animated: boolean
  orientation?: number
  hasGps?: boolean
  madeByHand?: true
}

/** Something that is no image of ours, and the name that an inspection has to give it. */
export type Liar = { name: string; bytes: Buffer }

const encoders: Record<ImageType, (picture: Sharp) => Sharp> = {
  'image/jpeg': (picture) => picture.jpeg(),
  'image/png': (picture) => picture.png({ compressionLevel: 1 }),
  'image/webp': (picture) => picture.webp({ effort: 0 }),
  'image/gif': (picture) => picture.gif({ effort: 1 }),
  'image/avif': (picture) => picture.avif({ effort: 0 }),
}

/**
 * A picture of 8 by 4 blocks that spell the seed's 32 bits in black and white: each seed has its own pixels, which also
 * lossy encoders keep apart.
 */
const drawSeed = (seed: number, width: number, height: number): Sharp => {
  const blocks = Buffer.from(Array.from({ length: 32 }, (_, bit) => ((seed >>> bit) & 1) * 0xff))
  const picture = sharp(blocks, { raw: { width: 8, height: 4, channels: 1 } })
  return picture.resize(width, height, { fit: 'fill', kernel: 'nearest' }).toColourspace('srgb')
}

/** A whole and decodable image of the type, with other bytes for each seed (32 bits); at least 8 by 4 pixels. */
export const goodPhoto = (
  type: ImageType,
  { width = 64, height = 48, seed = 1 }: { width?: number; height?: number; seed?: number } = {},
): Promise<Buffer> => encoders[type](drawSeed(seed, width, height)).toBuffer()

export const pdfBytes = (seed: number): Buffer =>
  Buffer.from(`%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Seed ${seed} >>\nendobj\ntrailer\n<< >>\n%%EOF\n`, 'latin1')

export const htmlBytes = (seed: number): Buffer =>
  Buffer.from(`<!doctype html>\n<html><head><title>Page ${seed}</title></head><body></body></html>\n`)

const ascii = (text: string): Buffer => Buffer.from(text, 'latin1')
const uint8 = (value: number): Buffer => Buffer.from([value])
export const uint16 = (value: number): Buffer => {
  const buffer = Buffer.alloc(2)
  buffer.writeUInt16BE(value)
  return buffer
}
export const uint32 = (value: number): Buffer => {
  const buffer = Buffer.alloc(4)
  buffer.writeUInt32BE(value)
  return buffer
}
const uint32LittleEndian = (value: number): Buffer => uint32(value).reverse()

export const jpegSegment = (marker: number, content: Buffer): Buffer =>
  Buffer.concat([Buffer.from([0xff, marker]), uint16(content.length + 2), content])

export const pngChunk = (name: string, content: Buffer): Buffer => {
  const named = Buffer.concat([ascii(name), content])
  return Buffer.concat([uint32(content.length), named, uint32(crc32(named))])
}

/** A box of an ISO media file. */
export const box = (type: string, ...contents: Buffer[]): Buffer => {
  const content = Buffer.concat(contents)
  return Buffer.concat([uint32(8 + content.length), ascii(type), content])
}

/** A box with a version and flags. */
export const fullBox = (type: string, version: number, ...contents: Buffer[]): Buffer =>
  box(type, uint8(version), Buffer.alloc(3), ...contents)

export const fileTypeBox = (major: string, ...compatible: string[]): Buffer =>
  box('ftyp', ascii(major), uint32(0), ascii(compatible.join('')))

export const itemInfo = (id: number, type: string): Buffer =>
  fullBox('infe', 2, uint16(id), uint16(0), ascii(`${type}\0`))

export const extents = (width: number, height: number): Buffer => fullBox('ispe', 0, uint32(width), uint32(height))

/** An item and the numbers (from 1) of its properties. */
export const association = (id: number, ...properties: number[]): Buffer =>
  Buffer.concat([uint16(id), uint8(properties.length), Buffer.from(properties)])

type HeifItems = { primaryId: number; items: Buffer[]; properties: Buffer[]; associations: Buffer[] }

export const metaBox = ({ primaryId, items, properties, associations }: HeifItems): Buffer =>
  fullBox(
    'meta',
    0,
    fullBox('hdlr', 0, uint32(0), ascii('pict'), Buffer.alloc(13)),
    fullBox('pitm', 0, uint16(primaryId)),
    fullBox('iinf', 0, uint16(items.length), ...items),
    box('iprp', box('ipco', ...properties), fullBox('ipma', 0, uint32(associations.length), ...associations)),
  )

export const singleImage = (width: number, height: number, ...turns: Buffer[]): HeifItems => ({
  primaryId: 1,
  items: [itemInfo(1, 'av01')],
  properties: [extents(width, height), ...turns],
  associations: [association(1, 0x81, ...turns.map((_, index) => 0x82 + index))],
})

/** Two tiles of 512 by 512 that make up one image of 1000 by 512; the tiles come first. */
export const gridImage: HeifItems = {
  primaryId: 3,
  items: [itemInfo(1, 'av01'), itemInfo(2, 'av01'), itemInfo(3, 'grid')],
  properties: [extents(512, 512), extents(1000, 512)],
  associations: [association(1, 0x81), association(2, 0x81), association(3, 0x82)],
}

export const avifFile = (items: HeifItems, fileType = fileTypeBox('avif', 'mif1', 'avif')): Buffer =>
  Buffer.concat([fileType, metaBox(items), box('mdat', Buffer.alloc(16))])

const pngSignature = ascii('\x89PNG\r\n\x1a\n')
const pngHeader = (width: number, height: number): Buffer =>
  pngChunk('IHDR', Buffer.concat([uint32(width), uint32(height), Buffer.from([8, 2, 0, 0, 0])]))

const frameHeader = (width: number, height: number): Buffer => {
  const components = Buffer.from([3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1])
  return jpegSegment(0xc0, Buffer.concat([uint8(8), uint16(height), uint16(width), components]))
}

const webpFile = (name: string, content: Buffer): Buffer => {
  const chunk = Buffer.concat([ascii(name), uint32LittleEndian(content.length), content])
  return Buffer.concat([ascii('RIFF'), uint32LittleEndian(4 + chunk.length), ascii('WEBP'), chunk])
}

const canvas = (width: number, height: number): Buffer =>
  Buffer.concat([Buffer.alloc(4), ...[width, height].map((side) => uint32LittleEndian(side - 1).subarray(0, 3))])

/**
 * A file whose header is in order and claims these dimensions, with hardly any pixels behind it. Throws a RangeError
 * for what the type has no room for: 65535 in JPEG and GIF, 2^31 - 1 in PNG, 2^24 in WebP, 2^32 - 1 in AVIF.
 */
export const absurdDimensions = (type: ImageType, width: number, height: number): Buffer => {
  switch (type) {
    case 'image/jpeg':
      return Buffer.concat([ascii('\xff\xd8'), jfif, frameHeader(width, height), ascii('\xff\xd9')])
    case 'image/png':
      return Buffer.concat([
        pngSignature,
        pngHeader(width, height),
        pngChunk('IDAT', uint8(0)),
        pngChunk('IEND', ascii('')),
      ])
    case 'image/webp':
      return webpFile('VP8X', canvas(width, height))
    case 'image/gif':
      return Buffer.concat([ascii('GIF89a'), uint16(width).reverse(), uint16(height).reverse(), ascii('\0\0\0;')])
    case 'image/avif':
      return avifFile(singleImage(width, height))
  }
}

const jfif = jpegSegment(0xe0, ascii('JFIF\0\x01\x01\0\0\x01\0\x01\0\0'))

/** The beginning of a file of the type, cut off before its dimensions. */
export const truncatedHeader = (type: ImageType): Buffer => {
  const whole = absurdDimensions(type, 64, 48)
  const cutAt: Record<ImageType, number> = {
    'image/jpeg': 24,
    'image/png': 20,
    'image/webp': 22,
    'image/gif': 8,
    'image/avif': 100,
  }
  return whole.subarray(0, cutAt[type])
}

const gps = {
  GPSLatitudeRef: 'N',
  GPSLatitude: '51/1 30/1 3230/100',
  GPSLongitudeRef: 'W',
  GPSLongitude: '0/1 7/1 43/1',
}

const turned = (picture: Sharp, orientation: number): Sharp =>
  picture.withMetadata({ orientation }).withExifMerge({ IFD3: gps })

const insert = (file: Buffer, at: number, ...parts: Buffer[]): Buffer =>
  Buffer.concat([file.subarray(0, at), ...parts, file.subarray(at)])

/** An EXIF block with an empty directory and a whole JPEG behind it, as cameras keep their thumbnails. */
const exifWithThumbnail = (thumbnail: Buffer): Buffer =>
  jpegSegment(0xe1, Buffer.concat([ascii('Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0'), thumbnail]))

const size = { width: 61, height: 47 }
const draw = (seed = 0x5a5a_1234): Sharp => drawSeed(seed, size.width, size.height)
const twoFrames = async (): Promise<Sharp> =>
  sharp(await Promise.all([1, 2].map((seed) => draw(seed).png().toBuffer())), { join: { animated: true } })

const sample = async (
  name: string,
  type: ImageType,
  picture: Sharp | Buffer,
  expected: Partial<ImageSample> = {},
): Promise<ImageSample> => {
  const bytes = Buffer.isBuffer(picture) ? picture : await encoders[type](picture).toBuffer()
  return { name: `${type}, ${name}`, bytes, type, ...size, animated: false, ...expected }
}

const encoded = async (name: string, type: ImageType, picture: Sharp, expected: Partial<ImageSample> = {}) =>
  sample(name, type, await picture.toBuffer(), expected)

const jpegSamples = async (): Promise<ImageSample[]> => {
  const [jpeg, thumbnail] = await Promise.all([
    draw().jpeg().toBuffer(),
    goodPhoto('image/jpeg', { width: 16, height: 8 }),
  ])
  const filler = jpegSegment(0xef, Buffer.alloc(65_533, 0xff))
  const none = { hasGps: false }
  return Promise.all([
    sample('baseline', 'image/jpeg', jpeg, none),
    encoded('progressive', 'image/jpeg', draw().jpeg({ progressive: true }), none),
    encoded('with a colour profile', 'image/jpeg', draw().withIccProfile('p3').jpeg(), none),
    sample('with a thumbnail', 'image/jpeg', insert(jpeg, 2, exifWithThumbnail(thumbnail)), none),
    sample('with its frame behind 128 KB', 'image/jpeg', insert(jpeg, 2, filler, filler), none),
    sample('with fill bytes', 'image/jpeg', insert(jpeg, 2, Buffer.alloc(30, 0xff)), none),
    ...Array.from({ length: 8 }, (_, index) =>
      sample(`turned ${index + 1}`, 'image/jpeg', turned(draw(), index + 1), { orientation: index + 1, hasGps: true }),
    ),
  ])
}

const pngSamples = async (): Promise<ImageSample[]> => {
  const png = await draw().png().toBuffer()
  const animation = pngChunk('acTL', Buffer.concat([uint32(1), uint32(0)]))
  const frame = [0, size.width, size.height, 0, 0].map(uint32)
  const frameControl = pngChunk('fcTL', Buffer.concat([...frame, uint16(1), uint16(10), uint16(0)]))
  const none = { hasGps: false }
  return Promise.all([
    sample('8 bits', 'image/png', png, none),
    encoded('16 bits', 'image/png', draw().toColourspace('rgb16').png(), none),
    encoded('palette', 'image/png', draw().png({ palette: true }), none),
    encoded('interlaced', 'image/png', draw().png({ progressive: true }), none),
    encoded('alpha', 'image/png', draw().ensureAlpha(0.5).png(), none),
    sample('turned', 'image/png', turned(draw(), 6), { orientation: 6, hasGps: true }),
    sample('animated', 'image/png', insert(png, 33, animation, frameControl), { ...none, animated: true }),
  ])
}

const webpSamples = async (): Promise<ImageSample[]> =>
  Promise.all([
    encoded('lossy', 'image/webp', draw().webp(), { hasGps: false }),
    encoded('lossless', 'image/webp', draw().webp({ lossless: true }), { hasGps: false }),
    encoded('alpha', 'image/webp', draw().ensureAlpha(0.5).webp(), { hasGps: false }),
    sample('turned', 'image/webp', turned(draw(), 5), { orientation: 5, hasGps: true }),
    sample('animated', 'image/webp', await twoFrames(), { animated: true, hasGps: false }),
  ])

const gifSamples = async (): Promise<ImageSample[]> =>
  Promise.all([
    sample('single', 'image/gif', draw()),
    sample('animated', 'image/gif', await twoFrames(), { animated: true }),
  ])

const avifSamples = async (): Promise<ImageSample[]> => {
  const byHand = { width: 1000, height: 512, hasGps: false, madeByHand: true } as const
  return Promise.all([
    encoded('8 bits', 'image/avif', draw().avif({ bitdepth: 8 }), { hasGps: false }),
    encoded('10 bits', 'image/avif', draw().avif({ bitdepth: 10 }), { hasGps: false }),
    encoded('alpha', 'image/avif', draw().ensureAlpha(0.5).avif(), { hasGps: false }),
    sample('with GPS', 'image/avif', turned(draw(), 1), { hasGps: true }),
    sample('a grid', 'image/avif', avifFile(gridImage), byHand),
    sample('compatible only', 'image/avif', avifFile(gridImage, fileTypeBox('mif1', 'mif1', 'avif')), byHand),
    sample('a sequence', 'image/avif', avifFile(gridImage, fileTypeBox('avis', 'avif')), { ...byHand, animated: true }),
  ])
}

/** Good images of all five types in their variants, each a few hundred bytes but for one. */
export const imageSamples = async (): Promise<ImageSample[]> =>
  (await Promise.all([jpegSamples(), pngSamples(), webpSamples(), gifSamples(), avifSamples()])).flat()

/** A text in 16 bits behind its byte order mark: 1 for little endian, 2 for big. */
const wideText = (order: 1 | 2, text: string): Buffer => {
  const bytes = Buffer.from(`\ufeff${text}`, 'utf16le')
  return order === 1 ? bytes : bytes.swap16()
}

/** Files that are not what an upload may be. */
export const liars = async (): Promise<Liar[]> => [
  { name: 'a PDF', bytes: pdfBytes(1) },
  { name: 'a PDF', bytes: ascii(`\n\xef\xbb\xbf${' '.repeat(1000)}%PDF-1.4\n`) },
  { name: 'an HTML page', bytes: htmlBytes(1) },
  { name: 'an HTML page', bytes: ascii('<html>\0\x01\x02') },
  { name: 'an HTML page', bytes: ascii('\n<!-- a comment -->\n<SCRIPT>alert(1)</SCRIPT>') },
  { name: 'an SVG image', bytes: ascii('<svg xmlns="http://www.w3.org/2000/svg"/>') },
  { name: 'an SVG image', bytes: ascii('\xef\xbb\xbf<?xml version="1.0"?>\n<!-- drawn -->\n<svg/>') },
  { name: 'an SVG image', bytes: wideText(2, '<?xml version="1.0" encoding="UTF-16"?>\n<svg/>') },
  { name: 'an SVG image', bytes: ascii(`<!-- ${'licence '.repeat(500)}-->\n<svg>\n</svg>`) },
  { name: 'an SVG image', bytes: ascii('<?xml version="1.0"?>\n<s:svg xmlns:s="http://www.w3.org/2000/svg"/>') },
  { name: 'an HTML page', bytes: wideText(1, '<!doctype html>\n<title>x</title>') },
  { name: 'an HTML page', bytes: ascii(`${'\n'.repeat(2000)}<!DOCTYPE html>`) },
  {
    name: 'an HTML page',
    bytes: ascii('<?xml version="1.0"?>\n<!-- x -->\n<html xmlns="http://www.w3.org/1999/xhtml">'),
  },
  { name: 'XML', bytes: ascii('<?xml version="1.0"?>\n<note/>') },
  { name: 'a shell script', bytes: ascii('#!/bin/sh\necho hello\n') },
  { name: 'a shell script', bytes: ascii('#! /usr/bin/env bash\n\0\x01\x02') },
  { name: 'a script', bytes: ascii('#!/usr/bin/env python3\nprint(1)\n') },
  { name: 'a PHP script', bytes: ascii('<?php phpinfo(); ?>') },
  { name: 'a PHP script', bytes: ascii('<?php\0') },
  { name: 'plain text', bytes: ascii('BMW and MZ are makers of motorcycles.') },
  { name: 'plain text', bytes: ascii('\xff\xfeh\0i\0') },
  { name: 'a TIFF image', bytes: await draw().tiff().toBuffer() },
  { name: 'a HEIC image', bytes: avifFile(gridImage, fileTypeBox('heic', 'mif1', 'heic')) },
  { name: 'a HEIC image', bytes: avifFile(gridImage, fileTypeBox('mif1', 'mif1', 'heix')) },
  ...['avci', 'avcs', 'jpeg', 'jpgs', 'j2ki', 'j2is', 'vvic', 'vvis'].map((brand) => ({
    name: 'a HEIF image',
    bytes: fileTypeBox(brand, 'mif1', brand),
  })),
  { name: 'an MP4 video', bytes: fileTypeBox('isom', 'isom', 'iso2', 'avc1', 'mp41') },
  { name: 'a QuickTime video', bytes: fileTypeBox('qt  ', 'qt  ') },
  { name: 'a ZIP archive', bytes: ascii('PK\x03\x04\x14\0\0\0\x08\0') },
  { name: 'a gzip archive', bytes: ascii('\x1f\x8b\x08\0\0\0\0\0\0\x03') },
  { name: 'an ELF executable', bytes: ascii('\x7fELF\x02\x01\x01\0') },
  { name: 'a Windows executable', bytes: ascii('MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0') },
  { name: 'a Mach-O executable', bytes: ascii('\xcf\xfa\xed\xfe\x07\0\0\x01') },
  { name: 'a BMP image', bytes: ascii('BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0') },
  { name: 'an ICO icon', bytes: ascii('\0\0\x01\0\x01\0\x10\x10\0\0') },
  { name: 'a JPEG XL image', bytes: ascii('\0\0\0\x0cJXL \r\n\x87\n') },
  { name: 'a JPEG 2000 image', bytes: ascii('\0\0\0\x0cjP  \r\n\x87\n') },
]
