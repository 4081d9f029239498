import { randomBytes } from 'node:crypto'

import type { RejectionReason } from '#shared/domain/events.ts'
import { imageTypes, type ImageType } from '#shared/domain/images/image-types.ts'
import { purposeNames, type Purpose } from '#shared/domain/purposes.ts'

import { absurdDimensions, goodPhoto, htmlBytes, pdfBytes, truncatedHeader } from './images.ts'

/** A file to upload and the verdict that it must get. */
export type PlannedFile = {
  purpose: Purpose
  userId: string
  contentType: ImageType
  body: Buffer
  expected: 'accepted' | RejectionReason
  /** The API would refuse its length: it is put with the bucket's own credentials. */
  pastTheApi: boolean
}

type Kind = { share: number; make: (type: ImageType, seed: number) => Promise<Buffer> | Buffer } & Pick<
  PlannedFile,
  'expected' | 'pastTheApi'
>

/** Of 100 files; the large ones are few, for the disk's sake. */
const kinds: readonly Kind[] = [
  { share: 60, expected: 'accepted', pastTheApi: false, make: (type, seed) => goodPhoto(type, { seed }) },
  { share: 10, expected: 'not_an_image', pastTheApi: false, make: (_, seed) => pdfBytes(seed) },
  { share: 9, expected: 'not_an_image', pastTheApi: false, make: (_, seed) => htmlBytes(seed) },
  { share: 10, expected: 'truncated', pastTheApi: false, make: (type) => truncatedHeader(type) },
  { share: 8, expected: 'too_many_pixels', pastTheApi: false, make: (type) => absurdDimensions(type, 60_000, 60_000) },
  { share: 2, expected: 'empty', pastTheApi: true, make: () => Buffer.alloc(0) },
  { share: 1, expected: 'too_large', pastTheApi: true, make: (_, seed) => Buffer.alloc(10_485_761, seed) },
]

const wheel = kinds.flatMap((kind) => Array.from({ length: kind.share }, () => kind))

/** The next file of a mix: kinds by their share, types and purposes in turn by chance. */
export const planFile = async (random: () => number, index: number): Promise<PlannedFile> => {
  const pick = <T>(choices: readonly T[]): T => {
    const choice = choices[Math.floor(random() * choices.length)]
    if (choice === undefined) throw new Error('nothing to choose from')
    return choice
  }
  const { make, expected, pastTheApi } = pick(wheel)
  const contentType = pick(imageTypes)
  return {
    purpose: pick(purposeNames),
    userId: `user/${index % 17}`,
    contentType,
    body: await make(contentType, index + 1),
    expected,
    pastTheApi,
  }
}

export const newId = () => randomBytes(16).toString('hex')
