import { z } from 'zod'

import { readContentType } from './content-types.ts'
import type { RejectionReason } from './events.ts'
import { given } from './given.ts'
import type { ImageType } from './images/image-types.ts'
import type { Inspection } from './images/inspect.ts'
import type { ObjectKey } from './keys.ts'
import type { PurposeRules } from './purposes.ts'
import type { StoredObject } from './stored-object.ts'

/** An object and what its first `bytesRead` bytes say. */
export type ObjectFacts = { object: StoredObject; inspection: Inspection; bytesRead: number }

export type AcceptedImage = Extract<Inspection, { kind: 'image' }>

export type Verdict =
  | { kind: 'accepted'; image: AcceptedImage }
  | { kind: 'rejected'; reason: RejectionReason; detail: string; foundType?: string }

/**
 * Whether an object may pass as an image of its purpose. The object's own size and bytes decide; nothing that a
 * notification or the ticket's request said is believed.
 */
export const judgeImage = (rules: PurposeRules, facts: ObjectFacts): Verdict => {
  const { size, contentType } = facts.object
  if (size < rules.minBytes) {
    return rejected('empty', `The file has ${size} bytes, at least ${rules.minBytes} must be there.`)
  }
  if (size > rules.maxBytes) {
    return rejected('too_large', `The file has ${size} bytes, ${rules.maxBytes} are allowed.`)
  }
  const declared = readContentType(contentType, rules.types)
  if (!declared.ok) return rejected('type_not_allowed', `The declared type ${declared.detail}`)
  return judgeBytes(rules, declared.type, facts)
}

const judgeBytes = (rules: PurposeRules, declared: ImageType, facts: ObjectFacts): Verdict => {
  const { inspection } = facts
  switch (inspection.kind) {
    case 'image':
      return judgeDimensions(rules, declared, inspection)
    case 'incomplete':
      return judgeIncomplete(declared, inspection.type, facts)
    case 'broken':
      return rejected('malformed', `The ${inspection.type} header is broken: ${inspection.detail}.`, inspection.type)
    case 'polyglot':
      return rejected(
        'polyglot',
        `This ${inspection.type} file is ${inspection.name} too: see byte ${inspection.at}.`,
        inspection.mediaType,
      )
    case 'other':
      return rejected(
        inspection.mediaType?.startsWith('image/') ? 'type_mismatch' : 'not_an_image',
        `This is ${inspection.name} sent as ${declared}.`,
        inspection.mediaType,
      )
    case 'unknown':
      return rejected('not_an_image', `The file's first bytes are those of no image type that is known here.`)
    default:
      return inspection satisfies never
  }
}

const judgeDimensions = (rules: PurposeRules, declared: ImageType, image: AcceptedImage): Verdict => {
  if (image.type !== declared)
    return rejected('type_mismatch', `This is ${image.type} sent as ${declared}.`, image.type)
  const { width, height } = image
  const pixels = width * height
  if (pixels > rules.maxPixels) {
    const detail = `The image has ${width} x ${height} = ${pixels} pixels, ${rules.maxPixels} are allowed.`
    return rejected('too_many_pixels', detail, image.type)
  }
  if (Math.max(width, height) > rules.maxSide) {
    const detail = `The image is ${width} x ${height}, no side may be longer than ${rules.maxSide} pixels.`
    return rejected('side_too_long', detail, image.type)
  }
  return { kind: 'accepted', image }
}

/** The reader went as far as it may: either the file ends there, or its header is longer than anyone reads. */
const judgeIncomplete = (declared: ImageType, type: ImageType, { object, bytesRead }: ObjectFacts): Verdict => {
  if (type !== declared) return rejected('type_mismatch', `This begins as ${type} but was sent as ${declared}.`, type)
  return bytesRead >= object.size
    ? rejected('truncated', `The file ends before its ${type} header does.`, type)
    : rejected('header_too_long', `The first ${bytesRead} bytes of this ${type} file don't tell its dimensions.`, type)
}

const rejected = (reason: RejectionReason, detail: string, foundType?: string): Verdict => ({
  kind: 'rejected',
  reason,
  detail,
  ...given({ foundType }),
})

/** The object is gone, and that event has told so; `at`: when it went, as the notification said. */
const toldRemovalSchema = z.object({ event_id: z.string(), at: z.iso.datetime().optional() })

export type ToldRemoval = z.infer<typeof toldRemovalSchema>

/**
 * What is stored of a verdict at `verdicts/{key}` in the state bucket. It speaks of the named etag or version alone. Another
 * version may have written it: with a reason that is not known here, and with more fields.
 */
export const verdictRecordSchema = z.object({
  verdict: z.enum(['accepted', 'rejected']),
  reason: z.string().optional(),
  detail: z.string().optional(),
  event_id: z.string(),
  etag: z.string(),
  version_id: z.string().optional(),
  size: z.int().nonnegative(),
  content_type: z.string(),
  width: z.int().positive().optional(),
  height: z.int().positive().optional(),
  uploaded_at: z.iso.datetime(),
  /** The object was refused, and was to be removed for that. */
  removed: z.literal(true).optional(),
  deleted: toldRemovalSchema.optional(),
})

export type VerdictRecord = z.infer<typeof verdictRecordSchema>

/** Whether a verdict was given on this very state of an object. */
export const isVerdictOn = (verdict: VerdictRecord, object: StoredObject): boolean =>
  verdict.version_id === object.versionId &&
  verdict.etag === object.etag &&
  verdict.uploaded_at === object.lastModified.toISOString()

/** Where the verdict on a key is stored in the state bucket. */
export const verdictKey = (key: ObjectKey) => `verdicts/${key}`

/** A verdict has a few hundred bytes; with the longest declared type that HTTP lets through, and its escapes, 40 KB. */
export const maxVerdictBytes = 65_536

const storedSchema = verdictRecordSchema.loose()

/** A verdict as it is stored, with what another version said in it too; undefined when it can't be read. */
export const readVerdict = (bytes: Uint8Array): VerdictRecord | undefined =>
  storedSchema.safeParse(parseJson(bytes)).data

/** Stands in a verdict's place when an object went before it was looked at. */
const removalNoteSchema = z.object({ unseen: z.literal(true), deleted: toldRemovalSchema })

export const noteRemoval = (deleted: ToldRemoval): z.infer<typeof removalNoteSchema> => ({ unseen: true, deleted })

/** The removal that was told of what had no verdict; undefined when the bytes are no note of one. */
export const readRemovalNote = (bytes: Uint8Array): ToldRemoval | undefined =>
  removalNoteSchema.safeParse(parseJson(bytes)).data?.deleted

const parseJson = (bytes: Uint8Array): unknown => {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return undefined
  }
}
