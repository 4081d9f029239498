import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { latin1 } from '#shared/domain/images/bytes.ts'
import { findZip } from '#shared/domain/images/zip-records.ts'
import { zipParts } from '../../../support/second-formats.ts'

const find = (bytes: Buffer): number => findZip(bytes, latin1(bytes))
const changed = (bytes: Buffer, at: number, value: number): Buffer => {
  const copy = Buffer.from(bytes)
  copy.writeUInt16LE(value, at)
  return copy
}

suite('the records of a ZIP archive', () => {
  const { local, entry, end } = zipParts('a.txt', 'a')
  const record = { local, entry, end }

  for (const [what, part, at, value] of [
    ['a version that is not there yet', 'local', 4, 64],
    ['a version that is not there yet', 'entry', 6, 64],
    ['a method that is none', 'local', 8, 11],
    ['a method that is none', 'entry', 10, 0x800],
    ['no name', 'local', 26, 0],
    ['no name', 'entry', 28, 0],
    ['a name of control characters', 'local', 30, 0x0101],
    ['a name of control characters', 'entry', 46, 0x0101],
    ['another disk', 'end', 4, 1],
    ['another disk for its directory', 'end', 6, 1],
    ['entries elsewhere', 'end', 8, 0],
  ] as const) {
    test(`with ${what} are none (${part})`, () => {
      assert.equal(find(record[part]), 0)
      assert.equal(find(changed(record[part], at, value)), -1)
    })
  }

  test('with a name of up to 1024 bytes are records', () => {
    assert.equal(find(zipParts('n'.repeat(1024), 'a').local), 0)
    assert.equal(find(zipParts('n'.repeat(1025), 'a').local), -1)
  })

  test('may have a name that is cut off by the end of the bytes, but not their fields', () => {
    assert.equal(find(local.subarray(0, 32)), 0)
    for (const [part, fieldsEnd] of [
      [local, 27],
      [entry, 29],
      [end, 22],
    ] as const) {
      for (let length = 0; length < fieldsEnd; length++) assert.equal(find(part.subarray(0, length)), -1)
      assert.equal(find(part.subarray(0, fieldsEnd)), 0)
    }
  })

  test('of an empty archive are seen', () => {
    assert.equal(find(Buffer.from(`PK\x05\x06${'\0'.repeat(18)}`, 'latin1')), 0)
  })
})
