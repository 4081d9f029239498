import type { ImageType } from './image-types.ts'

/**
 * What an image's metadata says. Facts that the bytes read don't settle are absent.
 * `orientation` is EXIF's 1 to 8: how to turn the stored pixels for display.
 * `hasGps`: whether its EXIF holds data of a GPS receiver; other metadata (XMP, text) is not searched.
 */
export type ImageFacts = { orientation?: number; hasGps?: boolean }

/** What the first bytes of a file say of it. */
export type Inspection =
  /** `width` and `height` count the stored pixels, not turned by `orientation`. `animated`: so the bytes read show. */
  | ({ kind: 'image'; type: ImageType; width: number; height: number; animated: boolean } & ImageFacts)
  /**
   * The file begins as `type`, but its dimensions lie further back. No file of that type can show them in fewer than
   * its first `neededBytes` bytes, which is always more than were given: a shorter file is truncated. Reading exactly
   * so many may lead to a further 'incomplete', so read generously beyond.
   */
  | { kind: 'incomplete'; type: ImageType; neededBytes: number }
  /** Begins as `type` and contradicts its own format. `detail` is a clause for people: "its width is 0". */
  | { kind: 'broken'; type: ImageType; detail: string }
  /** A whole header of `type`, and at byte `at` what makes the file something else too for those who take it for that. */
  | { kind: 'polyglot'; type: ImageType; name: string; mediaType: string; at: number }
  /** Something else that has a name, with its article: "a PDF". */
  | { kind: 'other'; name: string; mediaType?: string }
  | { kind: 'unknown' }

export const incomplete = (type: ImageType, neededBytes: number): Inspection => ({
  kind: 'incomplete',
  type,
  neededBytes,
})

export const broken = (type: ImageType, detail: string): Inspection => ({ kind: 'broken', type, detail })

/** Of one that says how many bytes it has. */
export const cutOff = (type: ImageType, claimedBytes: number, fileBytes: number): Inspection =>
  broken(type, `it says to have ${claimedBytes} bytes, but has ${fileBytes}`)

export const heic: Inspection = { kind: 'other', name: 'a HEIC image', mediaType: 'image/heic' }

export type Size = { width: number; height: number }

/** An image as its header describes it; without pixels it is broken. */
export const image = (type: ImageType, { width, height }: Size, animated: boolean, facts: ImageFacts): Inspection => {
  if (width === 0) return broken(type, 'its width is 0')
  if (height === 0) return broken(type, 'its height is 0')
  return { kind: 'image', type, width, height, animated, ...facts }
}
