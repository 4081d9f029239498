/*
 * Reading numbers and names out of bytes. Whatever lies beyond the end reads as 0, so that no reader can throw;
 * a reader asks for the length first wherever a 0 would be a wrong answer.
 */

export const uint8 = (bytes: Uint8Array, at: number): number => bytes[at] ?? 0

export const uint16 = (bytes: Uint8Array, at: number): number => (uint8(bytes, at) << 8) | uint8(bytes, at + 1)

export const uint32 = (bytes: Uint8Array, at: number): number => uint16(bytes, at) * 0x10000 + uint16(bytes, at + 2)

/** Loses the lowest bits above 2^53. */
export const uint64 = (bytes: Uint8Array, at: number): number =>
  uint32(bytes, at) * 0x1_0000_0000 + uint32(bytes, at + 4)

export const uint16LittleEndian = (bytes: Uint8Array, at: number): number =>
  uint8(bytes, at) | (uint8(bytes, at + 1) << 8)

export const uint24LittleEndian = (bytes: Uint8Array, at: number): number =>
  uint16LittleEndian(bytes, at) | (uint8(bytes, at + 2) << 16)

export const uint32LittleEndian = (bytes: Uint8Array, at: number): number =>
  uint16LittleEndian(bytes, at) + uint16LittleEndian(bytes, at + 2) * 0x10000

/** The four characters that name a chunk, a box or a brand, one per byte. */
export const fourCharacters = (bytes: Uint8Array, at: number): string =>
  String.fromCharCode(uint8(bytes, at), uint8(bytes, at + 1), uint8(bytes, at + 2), uint8(bytes, at + 3))

/** Whether `bytes` hold `signature` (one character per byte, `?` for any byte) at `at`. */
export const hasSignature = (bytes: Uint8Array, signature: string, at = 0): boolean => {
  if (bytes.length < at + signature.length) return false
  for (let i = 0; i < signature.length; i++) {
    if (signature[i] !== '?' && signature.charCodeAt(i) !== bytes[at + i]) return false
  }
  return true
}

/** All bytes as text, one character each. */
export const latin1 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
