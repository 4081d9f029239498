import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import sharp from 'sharp'

import { inspectImage, type Inspection } from '#shared/domain/images/inspect.ts'
import { absurdDimensions, goodPhoto, jpegSegment } from '../../../support/images.ts'

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1')
const padding = Buffer.alloc(16)

const photo = await goodPhoto('image/jpeg')
const frameAt = photo.indexOf(latin1('\xff\xc0'))
const scanAt = photo.indexOf(latin1('\xff\xda'))
const insert = (file: Buffer, at: number, ...parts: Buffer[]): Buffer =>
  Buffer.concat([file.subarray(0, at), ...parts, file.subarray(at)])

/** EXIF with an orientation, and with a latitude or without. */
const exif = (orientation: number, hasGps: boolean): Buffer => {
  const turned = `\x01\x12\0\x03\0\0\0\x01\0${String.fromCharCode(orientation)}\0\0`
  const pointer = '\x88\x25\0\x04\0\0\0\x01\0\0\0\x26'
  const latitude = '\0\x01\0\x02\0\x02\0\0\0\x02N\0\0\0\0\0\0\0'
  const tiff = `MM\0*\0\0\0\x08\0${hasGps ? '\x02' : '\x01'}${turned}${hasGps ? pointer : ''}\0\0\0\0`
  return jpegSegment(0xe1, latin1(`Exif\0\0${tiff}${hasGps ? latitude : ''}`))
}

const read = (bytes: Buffer): Extract<Inspection, { kind: 'image' }> => {
  const inspection = inspectImage(bytes, bytes.length)
  assert.ok(inspection.kind === 'image', `it is ${JSON.stringify(inspection)}`)
  return inspection
}

const assertBroken = (bytes: Buffer, detail: RegExp): void => {
  const inspection = inspectImage(bytes, bytes.length)
  assert.ok(inspection.kind === 'broken', `it is ${JSON.stringify(inspection)}`)
  assert.match(inspection.detail, detail)
}

/** A file with only a frame header of that kind. */
const withFrame = (...frame: number[]): Buffer =>
  Buffer.concat([latin1('\xff\xd8\xff'), Buffer.from(frame), latin1('\xff\xd9'), padding])

suite('the metadata of a JPEG', () => {
  test('EXIF between the frame header and the pixels counts', () => {
    const { orientation, hasGps } = read(insert(photo, scanAt, exif(6, true)))
    assert.deepEqual([orientation, hasGps], [6, true])
  })

  const unreadable = jpegSegment(0xe1, latin1('Exif\0\0??'))
  for (const [what, first, second, facts] of [
    ['GPS data in the second is there too', exif(6, false), exif(3, true), [6, true]],
    ['GPS data in the first is there', exif(6, true), exif(3, false), [6, true]],
    ['GPS data in neither is not', exif(6, false), exif(3, false), [6, false]],
    ['one that can not be read hides no GPS data', unreadable, exif(3, true), [undefined, true]],
    ['one that can not be read leaves GPS data open', unreadable, exif(3, false), [undefined, undefined]],
  ] as const) {
    test(`of two EXIF blocks the first turns the image, on whichever side of the frame header: ${what}`, () => {
      for (const file of [
        insert(insert(photo, scanAt, second), 2, first),
        insert(photo, 2, first, second),
        insert(photo, scanAt, first, second),
      ]) {
        assert.deepEqual([read(file).orientation, read(file).hasGps], facts)
      }
    })
  }

  test('GPS data is left open where the bytes end before the pixels', () => {
    assert.equal(read(photo).hasGps, false)
    assert.equal(read(photo.subarray(0, scanAt + 2)).hasGps, false)
    assert.equal('hasGps' in read(photo.subarray(0, scanAt)), false)
    const late = insert(photo, scanAt, exif(6, true))
    assert.equal('hasGps' in read(late.subarray(0, scanAt + 20)), false)
  })

  test('EXIF behind the beginning of the pixels does not count', () => {
    assert.equal(read(insert(photo, photo.length - 2, exif(6, true))).hasGps, false)
  })

  test('what is wrong behind the frame header is left to decoders', () => {
    for (const nonsense of ['?', '\xff\xe1\0\0', '\xff\xe1\xff\xff']) {
      assert.deepEqual([read(insert(photo, scanAt, latin1(nonsense))).width], [64], nonsense)
    }
  })
})

suite('the frame of a JPEG', () => {
  test('CMYK and grey images are read', async () => {
    for (const colours of ['cmyk', 'b-w'] as const) {
      const bytes = await sharp(photo).toColourspace(colours).jpeg().toBuffer()
      assert.deepEqual([read(bytes).width, read(bytes).height], [64, 48], colours)
    }
  })

  test('restart markers and arithmetic or lossless coding change nothing of a header', () => {
    const restarts = jpegSegment(0xdd, Buffer.from([0, 4]))
    for (const marker of [0xc3, 0xc9, 0xca, 0xcb]) {
      const file = insert(absurdDimensions('image/jpeg', 300, 200), 20, restarts)
      file[file.indexOf(latin1('\xff\xc0')) + 1] = marker
      assert.deepEqual([read(file).width, read(file).height], [300, 200])
    }
  })

  test('a second frame header before the pixels is broken', () => {
    const second = absurdDimensions('image/jpeg', 9, 9).subarray(20, 39)
    assert.equal(second[1], 0xc0)
    assertBroken(insert(photo, scanAt, second), /two frame headers/)
    assertBroken(insert(photo, frameAt, second), /two frame headers/)
    assert.equal(read(insert(photo, photo.length - 2, second)).width, 64)
  })

  test('a hierarchical JPEG and a JPEG-LS are named', () => {
    assertBroken(withFrame(0xde, 0, 11, 8, 0, 9, 0, 9, 1, 1, 0x11, 0), /hierarchical/)
    assertBroken(withFrame(0xf7, 0, 11, 8, 0, 9, 0, 9, 1, 1, 0x11, 0), /JPEG-LS/)
  })

  test('no components, and samples of no size, are broken', () => {
    assertBroken(withFrame(0xc0, 0, 8, 8, 0, 9, 0, 9, 0), /no colour components/)
    for (const bits of [0, 1, 17, 255]) {
      assertBroken(withFrame(0xc0, 0, 11, bits, 0, 9, 0, 9, 1, 1, 0x11, 0), /samples have the impossible size/)
    }
    assert.equal(read(withFrame(0xc1, 0, 11, 12, 0, 9, 0, 9, 1, 1, 0x11, 0)).width, 9)
  })

  test('a height that a DNL segment would give is broken', () => {
    const file = absurdDimensions('image/jpeg', 300, 0)
    assertBroken(insert(file, file.length - 2, jpegSegment(0xdc, Buffer.from([0, 200]))), /its height is 0/)
  })
})
