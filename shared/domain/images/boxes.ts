import { fourCharacters, uint32, uint64 } from './bytes.ts'

/** A box of an ISO media file. Offsets count from the file's start; `end` is Infinity for "to the end of the file". */
export type Box = { type: string; contentAt: number; end: number }

/** What stands where a box must begin: a box, fewer bytes than say so, or nonsense. */
export type BoxReading =
  { kind: 'box'; box: Box } | { kind: 'incomplete'; neededBytes: number } | { kind: 'broken'; detail: string }

const headerBytes = 8
const longHeaderBytes = 16

/** Reads a box's header (ISO/IEC 14496-12, 4.2): size 1 means that 64 bits of size follow, size 0 that it is the last. */
export const readBox = (bytes: Uint8Array, at: number): BoxReading => {
  if (at + headerBytes > bytes.length) return { kind: 'incomplete', neededBytes: at + headerBytes }
  const isLong = uint32(bytes, at) === 1
  const contentAt = at + (isLong ? longHeaderBytes : headerBytes)
  if (contentAt > bytes.length) return { kind: 'incomplete', neededBytes: contentAt }
  const size = isLong ? uint64(bytes, at + headerBytes) : uint32(bytes, at)
  const end = size === 0 ? Infinity : at + size
  if (end < contentAt || (end > Number.MAX_SAFE_INTEGER && size !== 0)) {
    return { kind: 'broken', detail: `the box at byte ${at} has the impossible size ${size}` }
  }
  return { kind: 'box', box: { type: fourCharacters(bytes, at + 4), contentAt, end } }
}

export type Search = { kind: 'found'; boxes: Map<string, Box> } | Exclude<BoxReading, { kind: 'box' }>

/**
 * Walks the boxes between two offsets until one of each wanted type was seen, and gives the first of every type met.
 * Only headers need be in the bytes: 'incomplete' when they end before.
 */
export const findBoxes = (bytes: Uint8Array, from: number, to: number, wanted: string[]): Search => {
  const boxes = new Map<string, Box>()
  let at = from
  while (at < to) {
    const reading = readBox(bytes, at)
    if (reading.kind !== 'box') return reading
    const { type, end } = reading.box
    if (end > to) return { kind: 'broken', detail: `the box at byte ${at} is longer than the one around it` }
    if (!boxes.has(type)) boxes.set(type, reading.box)
    if (wanted.every((name) => boxes.has(name))) return { kind: 'found', boxes }
    at = end
  }
  return { kind: 'broken', detail: `it has no ${wanted.find((name) => !boxes.has(name)) ?? 'such'} box` }
}

/** The boxes inside of content that is whole, up to the first that does not fit. */
export function* childBoxes(content: Uint8Array, from = 0): Generator<{ type: string; content: Uint8Array }> {
  let at = from
  for (;;) {
    const reading = readBox(content, at)
    if (reading.kind !== 'box') return
    const { type, contentAt, end } = reading.box
    if (end > content.length) return
    yield { type, content: content.subarray(contentAt, end) }
    at = end
  }
}
