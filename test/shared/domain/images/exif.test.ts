import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { readExif } from '#shared/domain/images/exif.ts'

const short = 3
const long = 4
type Entry = [tag: number, type: number, value: number]

const directory = (entries: Entry[], littleEndian: boolean): Uint8Array => {
  const view = new DataView(new ArrayBuffer(2 + 12 * entries.length))
  view.setUint16(0, entries.length, littleEndian)
  for (const [index, [tag, type, value]] of entries.entries()) {
    const at = 2 + 12 * index
    view.setUint16(at, tag, littleEndian)
    view.setUint16(at + 2, type, littleEndian)
    view.setUint32(at + 4, 1, littleEndian)
    if (type === short) view.setUint16(at + 8, value, littleEndian)
    else view.setUint32(at + 8, value, littleEndian)
  }
  return new Uint8Array(view.buffer)
}

/** A TIFF structure with nothing behind its last directory. */
const tiff = (entries: Entry[], gps: Entry[] = [], littleEndian = true): Buffer => {
  const header = Buffer.from(littleEndian ? 'II*\0\x08\0\0\0' : 'MM\0*\0\0\0\x08', 'latin1')
  return Buffer.concat([header, directory(entries, littleEndian), directory(gps, littleEndian)])
}

const orientation: Entry = [0x0112, short, 6]
/** Behind the header, the count and two entries. */
const pointer: Entry = [0x8825, long, 8 + 2 + 24]
const version: Entry = [0, 1, 0]
const latitude: Entry = [2, 5, 0]

suite('EXIF', () => {
  for (const littleEndian of [true, false]) {
    test(`orientation and GPS are found (${littleEndian ? 'little' : 'big'} endian)`, () => {
      const block = tiff([orientation, pointer], [version, latitude], littleEndian)
      assert.deepEqual(readExif(block), { orientation: 6, hasGps: true })
      assert.deepEqual(readExif(Buffer.concat([Buffer.from('Exif\0\0'), block])), { orientation: 6, hasGps: true })
    })
  }

  test('without a GPS directory there is no GPS data', () => {
    assert.deepEqual(readExif(tiff([orientation])), { orientation: 6, hasGps: false })
    assert.deepEqual(readExif(tiff([])), { hasGps: false })
  })

  test('a GPS directory that is empty or holds only its version is no GPS data', () => {
    assert.deepEqual(readExif(tiff([orientation, pointer])), { orientation: 6, hasGps: false })
    assert.deepEqual(readExif(tiff([orientation, pointer], [version])), { orientation: 6, hasGps: false })
  })

  test('a GPS directory outside of the block leaves open whether there is GPS data', () => {
    assert.deepEqual(readExif(tiff([orientation, [0x8825, long, 5000]])), { orientation: 6 })
  })

  test('an orientation from 1 to 8 in 16 bits counts, and no other', () => {
    for (const value of [1, 8]) assert.equal(readExif(tiff([[0x0112, short, value]])).orientation, value)
    for (const value of [0, 9, 65_535]) assert.equal(readExif(tiff([[0x0112, short, value]])).orientation, undefined)
    assert.equal(readExif(tiff([[0x0112, long, 6]])).orientation, undefined)
    assert.equal(readExif(tiff([[0x0100, short, 6]])).orientation, undefined)
  })

  test('a block that is no TIFF structure, or that ends in its header, has no facts', () => {
    for (const block of ['', 'XX*\0\x08\0\0\0\0\0', 'II*\0\x08\0\0\0', 'II*\0\xff\xff\xff\xff\0\0']) {
      assert.deepEqual(readExif(Buffer.from(block, 'latin1')), {})
    }
  })

  test('of a directory that is cut off the whole entries are read', () => {
    const block = tiff([orientation, latitude]).subarray(0, 8 + 2 + 13)
    assert.deepEqual(readExif(block), { orientation: 6, hasGps: false })
  })
})
