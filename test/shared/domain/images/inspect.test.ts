import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import sharp from 'sharp'

import { imageTypes, type ImageType } from '#shared/domain/images/image-types.ts'
import { inspectImage, type Inspection } from '#shared/domain/images/inspect.ts'
import { absurdDimensions, goodPhoto, imageSamples, liars, truncatedHeader } from '../../../support/images.ts'

const samples = await imageSamples()
const isImage = (inspection: Inspection) => inspection.kind === 'image'

suite('good images', () => {
  for (const { name, bytes, madeByHand, ...facts } of samples) {
    test(`${name}${madeByHand ? ' (made by hand)' : ''} is read`, () => {
      assert.deepEqual(inspectImage(bytes), { kind: 'image', ...facts })
    })
  }

  test('metadata and frames behind the bytes that were read are left open', () => {
    for (const { name, bytes, animated, hasGps } of samples.filter(({ type }) => type !== 'image/jpeg')) {
      const header = Array.from(bytes.keys(), (length) => inspectImage(bytes.subarray(0, length))).find(isImage)
      assert.ok(header, name)
      if (hasGps) assert.equal(header.hasGps, undefined, name)
      if (!animated) assert.equal(header.animated, false, name)
    }
  })

  test('a decoder finds the same dimensions, orientation and frames', async () => {
    for (const { name, bytes } of samples.filter(({ madeByHand }) => madeByHand === undefined)) {
      const decoded = await sharp(bytes, { animated: true }).metadata()
      const inspection = inspectImage(bytes)
      assert.equal(inspection.kind, 'image')
      assert.equal(inspection.width, decoded.width, name)
      assert.equal(inspection.height, decoded.pageHeight ?? decoded.height, name)
      // No AVIF is turned by its EXIF, which is all that the decoder reports there.
      if (inspection.type !== 'image/avif') assert.equal(inspection.orientation, decoded.orientation, name)
      // The decoder knows no animated PNG.
      if (inspection.type !== 'image/png') assert.equal(inspection.animated, (decoded.pages ?? 1) > 1, name)
    }
  })

  test('photos of all types and many sizes are read', async () => {
    for (const type of imageTypes) {
      for (const [width, height] of [
        [8, 4],
        [255, 256],
        [640, 480],
      ] as const) {
        const inspection = inspectImage(await goodPhoto(type, { width, height, seed: width }))
        assert.ok(inspection.kind === 'image', `${type} is ${inspection.kind}`)
        assert.deepEqual([inspection.type, inspection.width, inspection.height], [type, width, height])
      }
    }
  })

  test('every seed makes another photo', async () => {
    for (const type of imageTypes) {
      const seeds = Array.from({ length: 50 }, (_, seed) => seed)
      const photos = await Promise.all(seeds.map((seed) => goodPhoto(type, { seed })))
      assert.equal(new Set(photos.map((photo) => photo.toString('latin1'))).size, seeds.length, type)
    }
  })
})

suite('what is no image of ours', async () => {
  for (const { name, bytes } of await liars()) {
    test(`${name} is named (${bytes
      .subarray(0, 12)
      .toString('latin1')
      .replace(/[^\x20-\x7e]/g, '.')})`, () => {
      const inspection = inspectImage(bytes)
      assert.ok(inspection.kind === 'other', `it is ${inspection.kind}`)
      assert.equal(inspection.name, name)
    })
  }

  test('nothing, and bytes that nobody knows, are unknown', () => {
    for (const bytes of [[], [0], [0xff], [1, 2, 3, 4, 5, 6, 7, 8]]) {
      assert.deepEqual(inspectImage(Uint8Array.from(bytes)), { kind: 'unknown' })
    }
  })
})

suite('dimensions', () => {
  const largest: [ImageType, number, number][] = [
    ['image/jpeg', 65_535, 65_535],
    ['image/png', 100_000, 100_000],
    ['image/png', 0x7fff_ffff, 0x7fff_ffff],
    ['image/webp', 65_535, 65_535],
    ['image/webp', 0x100_0000, 255],
    ['image/gif', 65_535, 65_535],
    ['image/avif', 0xffff_ffff, 0xffff_ffff],
  ]
  for (const [type, width, height] of largest) {
    test(`${width} x ${height} in ${type} are told as they are`, () => {
      const inspection = inspectImage(absurdDimensions(type, width, height))
      assert.ok(inspection.kind === 'image', `it is ${inspection.kind}`)
      assert.deepEqual([inspection.type, inspection.width, inspection.height], [type, width, height])
    })
  }

  for (const type of imageTypes.filter((each) => each !== 'image/webp')) {
    test(`a ${type} without width or height is broken`, () => {
      for (const [width, height, detail] of [
        [0, 5, /^its width is 0/],
        [5, 0, /^its height is 0/],
      ] as const) {
        const inspection = inspectImage(absurdDimensions(type, width, height))
        assert.ok(inspection.kind === 'broken', `it is ${inspection.kind}`)
        assert.match(inspection.detail, detail)
      }
    })
  }

  for (const type of imageTypes) {
    test(`a ${type} that is cut off before its dimensions is incomplete`, () => {
      const bytes = truncatedHeader(type)
      const inspection = inspectImage(bytes)
      assert.ok(inspection.kind === 'incomplete', `it is ${inspection.kind}`)
      assert.equal(inspection.type, type)
      assert.ok(inspection.neededBytes > bytes.length)
    })
  }
})
