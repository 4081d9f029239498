import { hasSignature, uint16LittleEndian, uint8 } from './bytes.ts'
import { broken, image, incomplete, type Inspection } from './inspection.ts'

const type = 'image/gif'

const headerBytes = 13
const blocks = { image: 0x2c, extension: 0x21 }
const imageDescriptorBytes = 10
const applicationLabel = 0xff

/** Reads a GIF's logical screen (GIF89a specification, 18), and whether the blocks behind it show an animation. */
export const readGif = (bytes: Uint8Array): Inspection => {
  if (bytes.length < headerBytes) return incomplete(type, headerBytes)
  if (!hasSignature(bytes, 'GIF87a') && !hasSignature(bytes, 'GIF89a')) {
    return broken(type, 'its version is neither 87a nor 89a')
  }
  const size = { width: uint16LittleEndian(bytes, 6), height: uint16LittleEndian(bytes, 8) }
  return image(type, size, isAnimated(bytes), {})
}

const isAnimated = (bytes: Uint8Array): boolean => {
  let images = 0
  let at = headerBytes + colourTableBytes(uint8(bytes, 10))
  while (at < bytes.length) {
    const block = bytes[at]
    if (block === blocks.image) {
      if (++images > 1) return true
      // One byte more: the code size that stands before the pixels.
      at = skipSubBlocks(bytes, at + imageDescriptorBytes + colourTableBytes(uint8(bytes, at + 9)) + 1)
    } else if (block === blocks.extension) {
      if (isLoop(bytes, at)) return true
      at = skipSubBlocks(bytes, at + 2)
    } else return false
  }
  return false
}

/** Bit 7: there is a table; bits 0 to 2: the logarithm of its length, less one. */
const colourTableBytes = (flags: number): number => ((flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 7) + 1))

const skipSubBlocks = (bytes: Uint8Array, from: number): number => {
  let at = from
  while (uint8(bytes, at) > 0) at += 1 + uint8(bytes, at)
  return at + 1
}

const isLoop = (bytes: Uint8Array, at: number): boolean =>
  uint8(bytes, at + 1) === applicationLabel &&
  (hasSignature(bytes, 'NETSCAPE2.0', at + 3) || hasSignature(bytes, 'ANIMEXTS1.0', at + 3))
