import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import sharp from 'sharp'

import { inspectImage } from '#shared/domain/images/inspect.ts'
import { goodPhoto } from '../../../support/images.ts'

const photo = await goodPhoto('image/webp')
const xmp = '<x:xmpmeta xmlns:x="adobe:ns:meta/"/>'
const gps = { IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '51/1 30/1 0/1' } }
const [extended, located] = await Promise.all([
  sharp(photo).withXmp(xmp).webp().toBuffer(),
  sharp(photo).withExif(gps).webp().toBuffer(),
])

const changed = (bytes: Buffer, change: (copy: Buffer) => void): Buffer => {
  const copy = Buffer.from(bytes)
  change(copy)
  return copy
}

const assertBroken = (bytes: Buffer, detail: RegExp): void => {
  const inspection = inspectImage(bytes, bytes.length)
  assert.ok(inspection.kind === 'broken', `it is ${JSON.stringify(inspection)}`)
  assert.match(inspection.detail, detail)
}

const readGps = (bytes: Buffer): boolean | undefined => {
  const inspection = inspectImage(bytes, bytes.length)
  assert.ok(inspection.kind === 'image', `it is ${JSON.stringify(inspection)}`)
  return inspection.hasGps
}

suite('the length of a WebP', () => {
  test('a file that is shorter than it says to be was cut off', () => {
    const cut = photo.subarray(0, -1)
    assertBroken(cut, new RegExp(`says to have ${photo.length} bytes, but has ${cut.length}`))
  })

  test('bytes behind its end are allowed, and no metadata stands there', () => {
    const exif = located.subarray(located.indexOf('EXIF'))
    assert.equal(readGps(Buffer.concat([photo, Buffer.alloc(99)])), false)
    assert.equal(readGps(Buffer.concat([photo, exif])), false)
  })

  test('the bytes that were read may end anywhere, when the file does not', () => {
    assert.equal(inspectImage(photo.subarray(0, 40), photo.length).kind, 'image')
    assert.equal(inspectImage(photo.subarray(0, 40)).kind, 'image')
  })
})

suite('the canvas of a WebP', () => {
  test('a still image has to fill it', () => {
    assert.equal(extended.toString('latin1', 12, 16), 'VP8X')
    assertBroken(
      changed(extended, (copy) => copy.writeUInt8(9, 24)),
      /canvas is 10 x 48, but its image 64 x 48/,
    )
  })

  test('the frames of an animation need not', async () => {
    const frames = await Promise.all([1, 2].map((seed) => goodPhoto('image/png', { seed })))
    const animation = await sharp(frames, { join: { animated: true } })
      .webp()
      .toBuffer()
    const larger = changed(animation, (copy) => copy.writeUInt8(99, 24))
    const inspection = inspectImage(larger, larger.length)
    assert.ok(inspection.kind === 'image')
    assert.deepEqual([inspection.width, inspection.height, inspection.animated], [100, 48, true])
  })
})

suite('the EXIF of a WebP', () => {
  test('is read wherever it stands, whether or not it is announced', () => {
    assert.equal(readGps(located), true)
    assert.equal(readGps(changed(located, (copy) => copy.writeUInt8((copy[20] ?? 0) & ~0x08, 20))), true)
  })

  test('is left open when it is announced and lies beyond the bytes', () => {
    const inspection = inspectImage(located.subarray(0, -8), located.length)
    assert.ok(inspection.kind === 'image')
    assert.equal('hasGps' in inspection, false)
  })
})
