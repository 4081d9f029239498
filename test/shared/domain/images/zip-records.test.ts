import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { isZipRecord } from '#shared/domain/images/zip-records.ts'
import { zipParts } from '../../../support/second-formats.ts'

const isRecord = (bytes: Buffer): boolean => isZipRecord(bytes, 0)
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
      assert.equal(isRecord(record[part]), true)
      assert.equal(isRecord(changed(record[part], at, value)), false)
    })
  }

  test('with a name of up to 1024 bytes are records', () => {
    assert.equal(isRecord(zipParts('n'.repeat(1024), 'a').local), true)
    assert.equal(isRecord(zipParts('n'.repeat(1025), 'a').local), false)
  })

  test('may have a name that is cut off by the end of the bytes, but not their fields', () => {
    assert.equal(isRecord(local.subarray(0, 32)), true)
    for (const [part, fieldsEnd] of [
      [local, 27],
      [entry, 29],
      [end, 22],
    ] as const) {
      for (let length = 0; length < fieldsEnd; length++) assert.equal(isRecord(part.subarray(0, length)), false)
      assert.equal(isRecord(part.subarray(0, fieldsEnd)), true)
    }
  })

  test('of an empty archive are seen', () => {
    assert.equal(isRecord(Buffer.from(`PK\x05\x06${'\0'.repeat(18)}`, 'latin1')), true)
  })
})
