import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { readItems, readLocation, readPrimaryId, readProperties } from '#shared/domain/images/heif-items.ts'
import { inspectImage } from '#shared/domain/images/inspect.ts'
import {
  association,
  avifFile,
  box,
  fileTypeBox,
  fullBox,
  gridImage,
  itemInfo,
  uint16,
  uint32,
} from '../../../support/images.ts'

const content = (...parts: Buffer[]): Buffer => Buffer.concat(parts)
const head = (version: number, flags = 0): Buffer => Buffer.from([version, 0, 0, flags])
const bytes = (...values: number[]): Buffer => Buffer.from(values)

suite('the items of a HEIF file', () => {
  test('the primary item has 16 bits, from version 1 on 32', () => {
    assert.equal(readPrimaryId(content(head(0), uint16(258))), 258)
    assert.equal(readPrimaryId(content(head(1), uint32(70_000))), 70_000)
  })

  test('items are listed in both forms', () => {
    const longItem = fullBox('infe', 3, uint32(70_000), uint16(0), Buffer.from('Exif\0'))
    const expected = [
      { id: 7, type: 'av01' },
      { id: 70_000, type: 'Exif' },
    ]
    assert.deepEqual(readItems(content(head(0), uint16(2), itemInfo(7, 'av01'), longItem)), expected)
    assert.deepEqual(readItems(content(head(1), uint32(2), itemInfo(7, 'av01'), longItem)), expected)
  })

  test('properties are found by indexes of one and of two bytes, under ids of 16 and of 32 bits', () => {
    const properties = box('ipco', ...Array.from({ length: 300 }, (_, index) => box('free', uint16(index + 1))))
    const find = (version: number, flags: number, ...entries: Buffer[]): number[] => {
      const associations = box('ipma', head(version, flags), uint32(entries.length), ...entries)
      return readProperties(content(properties, associations), 5).map((found) =>
        Buffer.from(found.content).readUInt16BE(),
      )
    }
    assert.deepEqual(find(0, 0, association(4, 1, 2), association(5, 3, 0x84), association(6, 9)), [3, 4])
    assert.deepEqual(find(0, 1, uint16(4), bytes(1, 0, 9), uint16(5), bytes(2, 0x81, 0x2b, 0, 2)), [299, 2])
    assert.deepEqual(find(1, 0, uint32(65_541), bytes(1, 9), uint32(5), bytes(2, 3, 0x84)), [3, 4])
    assert.deepEqual(find(1, 1, uint32(4), bytes(1, 0, 9), uint32(5), bytes(1, 0x81, 0x2b)), [299])
    assert.deepEqual(find(0, 0, association(5, 0)), [])
  })

  test('several boxes of associations are read', () => {
    const [first, second] = [1, 2].map((index) => box('ipma', head(0), uint32(1), association(5, index)))
    assert.ok(first && second)
    const iprp = content(box('ipco', box('irot'), box('imir')), first, second)
    assert.deepEqual(
      readProperties(iprp, 5).map(({ type }) => type),
      ['irot', 'imir'],
    )
  })
})

suite('where an item lies', () => {
  const extent = content(uint32(50), uint32(20))

  test('version 0 has ids of 16 bits and no method', () => {
    const iloc = content(head(0), bytes(0x44, 0x40), uint16(2))
    const items = [4, 5].map((id) => content(uint16(id), uint16(0), uint32(id * 1000), uint16(1), extent))
    assert.deepEqual(readLocation(content(iloc, ...items), 5), { at: 5050, end: 5070 })
    assert.equal(readLocation(content(iloc, ...items), 6), undefined)
  })

  test('in version 0 the size of an index means nothing', () => {
    const items = [4, 5].map((id) => content(uint16(id), uint16(0), uint16(1), extent))
    assert.deepEqual(readLocation(content(head(0), bytes(0x44, 0x04), uint16(2), ...items), 5), { at: 50, end: 70 })
  })

  test('version 1 has a method and indexes', () => {
    const iloc = content(head(1), bytes(0x44, 0x04), uint16(2))
    const items = [4, 5].map((id) => content(uint16(id), uint16(0), uint16(0), uint16(1), uint32(9), extent))
    assert.deepEqual(readLocation(content(iloc, ...items), 5), { at: 50, end: 70 })
  })

  test('version 2 has ids of 32 bits', () => {
    const iloc = content(head(2), bytes(0x44, 0x00), uint32(2))
    const items = [4, 70_000].map((id) => content(uint32(id), uint16(0), uint16(0), uint16(1), extent))
    assert.deepEqual(readLocation(content(iloc, ...items), 70_000), { at: 50, end: 70 })
  })

  test('offsets and lengths may have 64 bits, or none', () => {
    const long = content(head(0), bytes(0x88, 0x80), uint16(1), uint16(5), uint16(0))
    const zero = uint32(0)
    const item = content(zero, uint32(1000), uint16(1), zero, uint32(50), zero, uint32(20))
    assert.deepEqual(readLocation(content(long, item), 5), { at: 1050, end: 1070 })
    const none = content(
      head(0),
      bytes(0x04, 0x40),
      uint16(1),
      uint16(5),
      uint16(0),
      uint32(1000),
      uint16(1),
      uint32(20),
    )
    assert.deepEqual(readLocation(none, 5), { at: 1000, end: 1020 })
  })

  test('an item elsewhere than in the file, or in several pieces, has no place', () => {
    const iloc = content(head(1), bytes(0x44, 0x00), uint16(1))
    assert.equal(readLocation(content(iloc, uint16(5), uint16(1), uint16(0), uint16(1), extent), 5), undefined)
    const item = content(uint16(5), uint16(0), uint16(0), uint16(2), extent, extent)
    assert.equal(readLocation(content(iloc, item), 5), undefined)
  })
})

suite('brands', () => {
  test('the minor version is no brand', () => {
    const fileType = box('ftyp', Buffer.from('mif1avif'), Buffer.from('heic'))
    const inspection = inspectImage(avifFile(gridImage, fileType))
    assert.ok(inspection.kind === 'other')
    assert.equal(inspection.name, 'a HEIC image')
  })

  test('the shortest file type box has only its major brand', () => {
    assert.equal(inspectImage(fileTypeBox('isom')).kind, 'other')
    assert.equal(inspectImage(avifFile(gridImage, box('ftyp', Buffer.from('avif')))).kind, 'image')
  })

  test('an open brand is unknown until all brands are read', () => {
    const fileType = fileTypeBox('mif1', 'mif1', 'heic')
    assert.equal(inspectImage(fileType.subarray(0, -1)).kind, 'unknown')
    assert.equal(inspectImage(fileType).kind, 'other')
  })
})
