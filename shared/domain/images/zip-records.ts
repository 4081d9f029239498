import { uint16LittleEndian, uint32LittleEndian, uint8 } from './bytes.ts'

/*
 * The records of a ZIP archive (PKWARE APPNOTE 6.3.10, 4.3). Their signatures have four bytes, which compressed data shows
 * once in 4 GB: each counts only with fields behind it that a record can have.
 */

/** Whether one of its records stands at a byte. */
export const isZipRecord = (bytes: Uint8Array, at: number): boolean => {
  switch (uint32LittleEndian(bytes, at)) {
    case 0x0403_4b50:
      return isFileHeader(bytes, at + 4, at + 30)
    case 0x0201_4b50:
      return isFileHeader(bytes, at + 6, at + 46)
    case 0x0605_4b50:
      return isEnd(bytes, at)
    default:
      return false
  }
}

/** 0: stored, 8: deflated; the others are what APPNOTE 4.4.5 lists and archivers write. */
const methods = new Set([0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 12, 14, 93, 95, 96, 97, 98, 99])
const maxVersion = 63
const longestName = 1024

/** From the version that is needed on, local and central headers have the same fields. */
const isFileHeader = (bytes: Uint8Array, from: number, nameAt: number): boolean => {
  const nameBytes = uint16LittleEndian(bytes, from + 22)
  return (
    uint8(bytes, from) <= maxVersion &&
    methods.has(uint16LittleEndian(bytes, from + 4)) &&
    nameBytes > 0 &&
    nameBytes <= longestName &&
    bytes.subarray(nameAt, nameAt + nameBytes).every(isNameByte)
  )
}

const isNameByte = (byte: number): boolean => byte >= 0x20 && byte !== 0x7f

/** No archive of several disks, and so all its entries on this one. */
const isEnd = (bytes: Uint8Array, at: number): boolean =>
  at + 22 <= bytes.length &&
  uint32LittleEndian(bytes, at + 4) === 0 &&
  uint16LittleEndian(bytes, at + 8) === uint16LittleEndian(bytes, at + 10)
