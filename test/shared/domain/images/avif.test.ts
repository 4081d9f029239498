import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import sharp from 'sharp'

import { inspectImage } from '#shared/domain/images/inspect.ts'
import {
  association,
  avifFile,
  box,
  extents,
  fileTypeBox,
  fullBox,
  goodPhoto,
  gridImage,
  itemInfo,
  singleImage,
  uint16,
  uint32,
} from '../../../support/images.ts'

const heic = { kind: 'other', name: 'a HEIC image', mediaType: 'image/heic' }
const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1')
const fileType = fileTypeBox('avif', 'mif1', 'avif')

const assertBroken = (bytes: Buffer, detail: RegExp): void => {
  const inspection = inspectImage(bytes)
  assert.ok(inspection.kind === 'broken', `it is ${JSON.stringify(inspection)}`)
  assert.match(inspection.detail, detail)
}

suite('the primary image of an AVIF', () => {
  const primary = (type: string) => avifFile({ ...gridImage, items: [itemInfo(1, 'av01'), itemInfo(3, type)] })

  test('is coded as AV1, or made up of images that are', () => {
    for (const type of ['av01', 'grid', 'iovl', 'iden']) assert.equal(inspectImage(primary(type)).kind, 'image', type)
  })

  test('is refused in another coding, whatever else the file holds', () => {
    for (const type of ['jpeg', 'Exif', '\0\0\0\0']) assertBroken(primary(type), /is not coded as AV1/)
    assert.deepEqual(inspectImage(primary('hvc1')), heic)
  })

  test('is one of its items', () => {
    assertBroken(avifFile({ ...singleImage(9, 5), items: [itemInfo(2, 'av01')] }), /is none of its items/)
  })

  test('that a HEIC calls AVIF is a HEIC', () => {
    const items = { ...singleImage(9, 5), items: [itemInfo(1, 'hvc1')] }
    assert.deepEqual(inspectImage(avifFile(items, fileTypeBox('heic', 'mif1', 'heic', 'avif'))), heic)
  })
})

suite('a sequence', () => {
  test('with a still image is read, and animated', () => {
    const inspection = inspectImage(avifFile(singleImage(9, 5), fileTypeBox('avis', 'avis', 'msf1')))
    assert.ok(inspection.kind === 'image')
    assert.deepEqual([inspection.width, inspection.animated], [9, true])
  })

  test('without a still image has no dimensions that are read here', () => {
    const file = Buffer.concat([fileTypeBox('avis', 'avis', 'msf1'), box('moov', Buffer.alloc(90)), box('mdat')])
    const { length } = file
    assert.deepEqual(inspectImage(file), { kind: 'incomplete', type: 'image/avif', neededBytes: length + 8 })
  })
})

suite('an AVIF that was cut off', () => {
  const file = avifFile(singleImage(9, 5))
  const pixelsAt = file.indexOf('mdat') - 4

  test('in its meta box is incomplete, also where its dimensions are there', () => {
    const padded = Buffer.concat([
      fileType,
      box('meta', Buffer.concat([file.subarray(fileType.length + 8, pixelsAt), box('free')])),
    ])
    assert.equal(inspectImage(padded, padded.length).kind, 'image')
    for (let length = padded.length - 1; length > padded.length - 9; length--) {
      assert.deepEqual(inspectImage(padded.subarray(0, length), length), {
        kind: 'incomplete',
        type: 'image/avif',
        neededBytes: padded.length,
      })
    }
  })

  test('in its pixels is broken, and says so', () => {
    assert.equal(inspectImage(file, file.length).kind, 'image')
    for (let length = pixelsAt + 8; length < file.length; length++) {
      const inspection = inspectImage(file.subarray(0, length), length)
      const detail = `it says to have ${file.length} bytes, but has ${length}`
      assert.deepEqual(inspection, { kind: 'broken', type: 'image/avif', detail })
    }
  })

  test('is told from one of which more was not read', () => {
    assert.equal(inspectImage(file.subarray(0, pixelsAt + 8), file.length).kind, 'image')
  })

  test('may have other bytes behind it, and pixels without a length', () => {
    const trailer = latin1('SEFH records of a maker')
    assert.equal(inspectImage(Buffer.concat([file, trailer]), file.length + trailer.length).kind, 'image')
    const open = Buffer.from(file)
    open.writeUInt32BE(0, pixelsAt)
    assert.equal(inspectImage(open, open.length).kind, 'image')
  })

  test('is one that a decoder refuses too', async () => {
    const photo = await goodPhoto('image/avif')
    await sharp(photo).stats()
    for (const missing of [1, 20]) {
      const cut = photo.subarray(0, -missing)
      assert.equal(inspectImage(cut, cut.length).kind, 'broken')
      await assert.rejects(sharp(cut).stats())
    }
  })
})

suite('the metadata of an AVIF', () => {
  /** EXIF behind the boxes, its place told in a box that stands last. */
  const located = (exif: Buffer, missingBytes = 0): Buffer => {
    const build = (at: number): Buffer =>
      fullBox(
        'meta',
        0,
        fullBox('pitm', 0, uint16(1)),
        fullBox('iinf', 0, uint16(2), itemInfo(1, 'av01'), itemInfo(2, 'Exif')),
        box('iprp', box('ipco', extents(9, 5)), fullBox('ipma', 0, uint32(1), association(1, 1))),
        fullBox(
          'iloc',
          0,
          Buffer.from([0x44, 0]),
          uint16(1),
          uint16(2),
          uint16(0),
          uint16(1),
          uint32(at),
          uint32(exif.length),
        ),
      )
    const file = Buffer.concat([fileType, build(fileType.length + build(0).length), exif])
    return file.subarray(0, file.length - missingBytes)
  }
  const gps = '\0\x01\x88\x25\0\x04\0\0\0\x01\0\0\0\x1a\0\0\0\0\0\x01\0\x01\0\x02\0\0\0\x02N\0\0\0\0\0\0\0'
  const exif = latin1(`\0\0\0\0MM\0*\0\0\0\x08${gps}`)
  const readGps = (bytes: Buffer): boolean | undefined => {
    const inspection = inspectImage(bytes)
    assert.ok(inspection.kind === 'image', `it is ${JSON.stringify(inspection)}`)
    return inspection.hasGps
  }

  test('is found wherever the box of places stands', () => {
    assert.equal(readGps(located(exif)), true)
  })

  test('is left open when the box of places is cut off in the middle of a place', () => {
    // The last byte of the length is missing: without it the block ends between the GPS directory's count and its entries.
    const block = Buffer.alloc(0x10c)
    block.write('MM\0*\0\0\0\x08\0\x01\x88\x25\0\x04\0\0\0\x01\0\0\0\xfa', 4, 'latin1')
    block.write('\0\x01\0\x02', 0xfe, 'latin1')
    const at = fileType.length + 8
    const places = [uint16(1), uint16(2), uint16(0), uint16(1), uint32(at), uint32(block.length)]
    const iloc = fullBox('iloc', 0, Buffer.from([0x44, 0]), ...places)
    const file = Buffer.concat([fileType, box('free', block), located(Buffer.alloc(0), 0).subarray(fileType.length)])
    const whole = Buffer.concat([file.subarray(0, file.length - iloc.length), iloc])
    assert.equal(readGps(whole), true)
    assert.equal(readGps(whole.subarray(0, -1)), undefined)
  })

  test('is left open when it, or the box of places, is not whole', () => {
    assert.equal(readGps(located(exif, 1)), undefined)
    assert.equal(readGps(located(exif, exif.length + 1)), undefined)
  })
})
