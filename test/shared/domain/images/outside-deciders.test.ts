import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { suite, test } from 'node:test'

import { fileTypeFromBuffer } from 'file-type'
import { imageSize } from 'image-size'
import sharp from 'sharp'

import { imageTypes } from '#shared/domain/images/image-types.ts'
import { inspectImage } from '#shared/domain/images/inspect.ts'
import { edgeImages } from '../../../support/edge-images.ts'
import { goodPhoto, imageSamples, liars } from '../../../support/images.ts'

/** What a decider says of a file; undefined where it says nothing. */
type Saying = { type?: string | undefined; size?: string | undefined }

/** Sizes are compared where a file is, or begins as, one of our types: of others we tell none. */
const askUs = (bytes: Buffer): Saying & { isOurs: boolean } => {
  const inspection = inspectImage(bytes, bytes.length)
  switch (inspection.kind) {
    case 'image':
      return { isOurs: true, type: inspection.type, size: `${inspection.width} x ${inspection.height}` }
    case 'polyglot':
    case 'incomplete':
    case 'broken':
      return { isOurs: true, type: inspection.type }
    case 'other':
      return { isOurs: false, type: inspection.mediaType }
    case 'unknown':
      return { isOurs: false }
  }
}

/** Two names of one type. */
const otherNames = new Map([
  ['application/x-msdownload', 'application/vnd.microsoft.portable-executable'],
  ['image/x-icon', 'image/vnd.microsoft.icon'],
])

const askOthers = async (bytes: Buffer): Promise<Saying> => {
  const mime = (await fileTypeFromBuffer(bytes))?.mime
  return { type: mime && (otherNames.get(mime) ?? mime), size: readSize(bytes) }
}

const readSize = (bytes: Buffer): string | undefined => {
  try {
    const { width, height } = imageSize(bytes)
    return `${width} x ${height}`
  } catch {
    return undefined
  }
}

/** Where they say something else than we, by the row of docs/images.md that says why. */
const disagreements: Record<string, Record<string, Saying>> = {
  'Fill bytes or restart markers before the frame': {
    'image/jpeg, with fill bytes': { size: undefined },
    'a JPEG with restart markers before its frame': { size: undefined },
  },
  'Arithmetic or lossless coding': {
    'a JPEG with arithmetic coding': { size: undefined },
    'a lossless JPEG': { size: undefined },
  },
  'Two frame headers': { 'a JPEG with two frame headers': { size: '9 x 5' } },
  'No width or no height': {
    'a JPEG whose height stands behind its pixels': { size: '9 x 0' },
    'a PNG without width': { size: '0 x 9' },
    'a GIF without a screen': { size: '0 x 0' },
    'an AVIF without width': { size: '0 x 5' },
  },
  'A damaged IHDR, or another chunk before it': {
    'a PNG with a damaged checksum': { size: '64 x 48' },
    'a PNG of a colour type that does not exist': { size: '64 x 48' },
    "Apple's own PNG": { size: '64 x 48' },
  },
  'Line ends converted': { 'a PNG sent as text': { type: undefined } },
  'An animated PNG': { 'image/png, animated': { type: 'image/apng' } },
  'A picture larger than its screen': { 'a GIF whose picture is wider than its screen': { size: '10 x 48' } },
  'Fewer bytes than its header says': {
    'a WebP that was cut off': { size: '64 x 48' },
    'a WebP whose first chunk is longer than the file': { size: '64 x 48' },
  },
  'AVIF among the compatible brands': { 'image/avif, compatible only': { type: 'image/heif' } },
  'A sequence with a still image': { 'image/avif, a sequence': { size: undefined } },
  'A primary image that is not AV1': { 'an AVIF whose primary image is not AV1': { type: 'image/avif' } },
  'A second format inside': Object.fromEntries(
    imageTypes.map((type) => [`a page inside of ${type}`, { size: '64 x 48' }]),
  ),
  'A header that is not whole': Object.fromEntries(
    imageTypes.filter((type) => type !== 'image/avif').map((type) => [`the beginning of ${type}`, { size: '64 x 48' }]),
  ),
  'Texts, and JPEG 2000': {
    'an HTML page, 1': { type: undefined },
    'an HTML page, 2': { type: undefined },
    'an HTML page, 3': { type: undefined },
    'an SVG image, 1': { type: undefined },
    'an SVG image, 2': { type: 'application/xml' },
    'an SVG image, 3': { type: 'application/xml' },
    'an SVG image, 4': { type: undefined },
    'an SVG image, 5': { type: 'application/xml' },
    'an HTML page, 4': { type: undefined },
    'an HTML page, 5': { type: undefined },
    'an HTML page, 6': { type: 'application/xml' },
    'a shell script, 2': { type: undefined },
    'a shell script, 1': { type: undefined },
    'a PHP script, 1': { type: undefined },
    'a PHP script, 2': { type: undefined },
    'plain text, 1': { type: 'image/bmp' },
    'plain text, 2': { type: undefined },
    'a PDF, 2': { type: undefined },
    'a JPEG 2000 image, 1': { type: undefined },
  },
  'HEIF that is coded otherwise': Object.fromEntries(
    Array.from({ length: 8 }, (_, index) => [`a HEIF image, ${index + 1}`, { type: 'video/mp4' }]),
  ),
  'HEIC by a compatible brand': { 'a HEIC image, 2': { type: 'image/heif' } },
}

const numbered = <T extends { name: string }>(files: T[]): T[] =>
  files.map((file, index) => ({
    ...file,
    name: `${file.name}, ${files.slice(0, index + 1).filter(({ name }) => name === file.name).length}`,
  }))

const files = [...(await imageSamples()), ...(await edgeImages()), ...numbered(await liars())]
const listed = new Map(Object.values(disagreements).flatMap((row) => Object.entries(row)))

suite('file-type and image-size', () => {
  for (const { name, bytes } of files) {
    const expected = listed.get(name)
    test(`${expected ? 'disagree as listed' : 'agree'} on ${name}`, async () => {
      const { isOurs, ...ours } = askUs(bytes)
      const theirs = await askOthers(bytes)
      const differing: Saying = {
        ...(theirs.type !== ours.type && { type: theirs.type }),
        ...(isOurs && theirs.size !== ours.size && { size: theirs.size }),
      }
      assert.deepEqual(differing, expected ?? {})
    })
  }

  test('are asked about every file that is listed', () => {
    const names = new Set(files.map(({ name }) => name))
    assert.equal(names.size, files.length)
    assert.deepEqual(
      [...listed.keys()].filter((name) => !names.has(name)),
      [],
    )
  })

  test('agree on photos of many sizes', async () => {
    for (const type of imageTypes) {
      for (const [width, height] of [
        [8, 4],
        [255, 256],
        [1023, 600],
      ] as const) {
        const bytes = await goodPhoto(type, { width, height, seed: width })
        assert.deepEqual(await askOthers(bytes), { type, size: `${width} x ${height}` })
        assert.deepEqual(askUs(bytes), { isOurs: true, type, size: `${width} x ${height}` })
      }
    }
  })
})

suite('a decoder', () => {
  /** Of the edge cases it opens none that is broken, but for two that browsers differ about. */
  test('opens no file that we call broken, but GIFs whose screen or version is not as it should be', async () => {
    const opened: string[] = []
    for (const { name, bytes } of files) {
      const inspection = inspectImage(bytes, bytes.length)
      if (inspection.kind !== 'broken' && inspection.kind !== 'incomplete') continue
      const decoded = await sharp(bytes)
        .raw()
        .toBuffer()
        .catch(() => undefined)
      if (decoded) opened.push(name)
    }
    assert.deepEqual(opened, ['a GIF without a screen', 'a GIF of another version'])
  })
})

test('docs/images.md explains every disagreement', () => {
  const page = readFileSync('docs/images.md', 'utf8')
  const rows = [...page.matchAll(/^\| ([^|]+?) +\|[^\n]*file-type|^\| ([^|]+?) +\|[^\n]*image-size/gm)]
  const titles = rows.map(([, one, other]) => one ?? other).filter((title) => title !== 'file')
  assert.deepEqual(titles.sort(), Object.keys(disagreements).sort())
})
