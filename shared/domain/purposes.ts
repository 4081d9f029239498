import { imageTypes, type ImageType } from './images/image-types.ts'

/** What an image is for. It decides the key's form, how long the image is kept and what it may be. */
export type PurposeRules = {
  /** First segment of the key, with its slash. */
  prefix: string
  /** Whether the key carries the UTC date of its ticket. */
  dated: boolean
  /** After so many days S3's lifecycle removes the image; undefined: it is kept for ever. */
  keptDays?: number
  types: readonly ImageType[]
  minBytes: number
  maxBytes: number
  /** Width times height. */
  maxPixels: number
  /** In pixels, of width and of height. */
  maxSide: number
}

/** The longest side that browsers draw: positions have 15 bits in Firefox's canvas and in the libraries under many others. */
const drawableSide = 32_767

const everyImage = {
  types: imageTypes,
  minBytes: 1,
  maxBytes: 10_485_760,
  maxPixels: 50_000_000,
  maxSide: drawableSide,
}

export const purposes = {
  scan: { prefix: 'scans/', dated: true, keptDays: 30, ...everyImage },
  profile: { prefix: 'profiles/', dated: false, ...everyImage },
  chat: { prefix: 'chat/', dated: true, keptDays: 7, ...everyImage },
} as const satisfies Record<string, PurposeRules>

export type Purpose = keyof typeof purposes

/** In the table's order. */
// Object.keys forgets the type of a closed literal's keys.
export const purposeNames = Object.keys(purposes) as [Purpose, ...Purpose[]]

export const purposeRules = (purpose: Purpose): PurposeRules => purposes[purpose]

export const dayMs = 86_400_000

/**
 * When S3's lifecycle removes an image: that many days later, rounded up to the next midnight UTC.
 * Source: Amazon S3 User Guide, "Lifecycle configuration elements", date-based rules are counted from creation and rounded.
 */
export const keptUntil = (purpose: Purpose, uploadedAt: Date): Date | undefined => {
  const { keptDays } = purposeRules(purpose)
  if (keptDays === undefined) return undefined
  return new Date(Math.ceil((uploadedAt.getTime() + keptDays * dayMs) / dayMs) * dayMs)
}
