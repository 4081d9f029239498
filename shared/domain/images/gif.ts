import { hasSignature, uint16LittleEndian, uint8 } from './bytes.ts'
import { broken, image, incomplete, type Inspection, type Size } from './inspection.ts'

const type = 'image/gif'

const headerBytes = 13
const blocks = { image: 0x2c, extension: 0x21, trailer: 0x3b }
const imageDescriptorBytes = 10
const labels = { graphicControl: 0xf9, application: 0xff }

/**
 * Reads a GIF's logical screen (GIF89a specification, 18), and what the blocks behind it show of animation and of
 * pictures that the screen has no room for.
 */
export const readGif = (bytes: Uint8Array): Inspection => {
  if (bytes.length < headerBytes) return incomplete(type, headerBytes)
  if (!hasSignature(bytes, 'GIF87a') && !hasSignature(bytes, 'GIF89a')) {
    return broken(type, 'its version is neither 87a nor 89a')
  }
  const screen = { width: uint16LittleEndian(bytes, 6), height: uint16LittleEndian(bytes, 8) }
  // A screen without pixels stays one: no picture enlarges it here, though browsers let it.
  if (screen.width === 0 || screen.height === 0) return image(type, screen, false, {})
  const { extent, pictures, moves, isWhole } = readBlocks(bytes)
  // Pictures must lie inside of the screen (20), but decoders enlarge it for those that don't, and so cost more pixels.
  const size = { width: Math.max(screen.width, extent.width), height: Math.max(screen.height, extent.height) }
  // Many writers announce a loop of a single picture: only where that one is seen to be all, nothing moves.
  const isStill = pictures === 1 && isWhole
  return image(type, size, pictures > 1 || (moves && !isStill), {})
}

type Blocks = { extent: Size; pictures: number; moves: boolean; isWhole: boolean }

const readBlocks = (bytes: Uint8Array): Blocks => {
  const seen: Blocks = { extent: { width: 0, height: 0 }, pictures: 0, moves: false, isWhole: false }
  let at = headerBytes + colourTableBytes(uint8(bytes, 10))
  while (at < bytes.length) {
    const block = bytes[at]
    if (block === blocks.image) {
      seen.pictures++
      seen.extent = enlarge(seen.extent, bytes, at)
      // One byte more: the code size that stands before the pixels.
      at = skipSubBlocks(bytes, at + imageDescriptorBytes + colourTableBytes(uint8(bytes, at + 9)) + 1)
    } else if (block === blocks.extension) {
      seen.moves ||= isLoop(bytes, at) || isDelay(bytes, at)
      at = skipSubBlocks(bytes, at + 2)
    } else return { ...seen, isWhole: block === blocks.trailer }
  }
  return seen
}

/** By the picture whose descriptor stands there: left, top, width, height. */
const enlarge = (extent: Size, bytes: Uint8Array, at: number): Size => {
  if (at + imageDescriptorBytes > bytes.length) return extent
  const [left, top] = [uint16LittleEndian(bytes, at + 1), uint16LittleEndian(bytes, at + 3)]
  const [width, height] = [uint16LittleEndian(bytes, at + 5), uint16LittleEndian(bytes, at + 7)]
  return { width: Math.max(extent.width, left + width), height: Math.max(extent.height, top + height) }
}

/** Bit 7: there is a table; bits 0 to 2: the logarithm of its length, less one. */
const colourTableBytes = (flags: number): number => ((flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 7) + 1))

const skipSubBlocks = (bytes: Uint8Array, from: number): number => {
  let at = from
  while (uint8(bytes, at) > 0) at += 1 + uint8(bytes, at)
  return at + 1
}

const isLoop = (bytes: Uint8Array, at: number): boolean =>
  uint8(bytes, at + 1) === labels.application &&
  (hasSignature(bytes, 'NETSCAPE2.0', at + 3) || hasSignature(bytes, 'ANIMEXTS1.0', at + 3))

/** Two bytes behind the block's size and flags: so long its picture stays before the next. Writers of stills leave it 0. */
const isDelay = (bytes: Uint8Array, at: number): boolean =>
  uint8(bytes, at + 1) === labels.graphicControl && uint16LittleEndian(bytes, at + 4) > 0
