import { z } from 'zod'

import { imageTypes } from './images/image-types.ts'
import { purposeNames } from './purposes.ts'

/**
 * What is published: CloudEvents 1.0 in structured JSON, one topic per type, named like the type. Readers accept unknown
 * fields: changes are additive only, a break is a new type.
 */

export const rejectionReasons = [
  'too_large',
  'empty',
  'type_not_allowed',
  'type_mismatch',
  'not_an_image',
  'truncated',
  'malformed',
  'header_too_long',
  'too_many_pixels',
  'side_too_long',
  'polyglot',
] as const
export type RejectionReason = (typeof rejectionReasons)[number]

/** 32 hex digits of a hash (ids.ts). */
const id = z.string().regex(/^[0-9a-f]{32}$/)
const moment = z.iso.datetime()

const envelope = <Type extends string, Data extends z.ZodType>(type: Type, data: Data) =>
  z.object({
    specversion: z.literal('1.0'),
    id: id.describe('The same for the same cause, however often it is published: deduplicate by it.'),
    source: z.string().min(1).describe('The service that publishes it.'),
    type: z.literal(type),
    subject: z.string().describe("The object's key; also the key of the Kafka record."),
    time: moment.describe('When it happened, not when it was published.'),
    datacontenttype: z.literal('application/json'),
    traceparent: z.string().optional().describe('W3C trace context of the upload, when it is known.'),
    data,
  })

const image = {
  bucket: z.string(),
  key: z.string(),
  purpose: z.enum(purposeNames),
  user_id: z.string().describe("The uploader: the subject of the ticket's token."),
}

const versionId = z.string().optional().describe('Absent in a bucket without versions.')

const uploadedImage = {
  ...image,
  size: z.int().nonnegative().describe('In bytes.'),
  etag: z.string().describe('Without quotes. The event speaks of this state of the object alone.'),
  version_id: versionId,
  uploaded_at: moment.describe('As S3 says it, in whole seconds.'),
}

export const imageUploadedSchema = envelope(
  'image.uploaded',
  z.object({
    ...uploadedImage,
    content_type: z.enum(imageTypes).describe('As the bytes say it.'),
    width: z.int().positive().describe('In pixels, as stored; orientation says how to turn them.'),
    height: z.int().positive().describe('In pixels, as stored.'),
    orientation: z.int().min(1).max(8).optional().describe('EXIF orientation.'),
    animated: z.boolean(),
    has_gps: z.boolean().optional().describe("Absent when the bytes that were read don't tell."),
    checked: z.literal('header').describe('How far the image was checked: bytes beyond the header were not decoded.'),
    cdn_url: z.url(),
    job_id: id.optional().describe('Scans only: the id of the vision job.'),
  }),
).describe('An image was stored and is what it claims to be.')

export const imageRejectedSchema = envelope(
  'image.rejected',
  z.object({
    ...uploadedImage,
    declared_type: z.string().describe('As the uploader said it.'),
    found_type: z.string().optional().describe('As the bytes say it; absent when they say nothing that is known.'),
    reason: z.enum(rejectionReasons),
    detail: z.string().describe('A sentence for people.'),
  }),
).describe('An object was stored that may not pass as an image of its purpose.')

export const imageDeletedSchema = envelope(
  'image.deleted',
  z.object({
    ...image,
    version_id: versionId,
    deleted_at: moment,
    cause: z.enum(['deleted', 'expired']).describe('expired: it had been kept for as long as its purpose says.'),
  }),
).describe('An object is gone. Published for rejected images too.')

export const scanDispatchedSchema = envelope(
  'scan.dispatched',
  z.object({
    job_id: id,
    key: z.string(),
    user_id: z.string(),
    event_id: id.describe('Of the image.uploaded that asked for the job.'),
  }),
).describe('The queue has accepted the vision job of a scan.')

export const scanAnalyzedSchema = envelope(
  'scan.analyzed',
  z.object({
    job_id: id,
    key: z.string(),
    user_id: z.string(),
    event_id: id.describe('Of the image.uploaded that asked for the job.'),
    model: z.string().describe('What answered.'),
    result: z.looseObject({}).describe("What it said, in the model's own form."),
  }),
).describe('The vision worker has analyzed a scan.')

export type ImageUploaded = z.infer<typeof imageUploadedSchema>
export type ImageRejected = z.infer<typeof imageRejectedSchema>
export type ImageDeleted = z.infer<typeof imageDeletedSchema>
export type ScanDispatched = z.infer<typeof scanDispatchedSchema>
export type ScanAnalyzed = z.infer<typeof scanAnalyzedSchema>
export type IntakeEvent = ImageUploaded | ImageRejected | ImageDeleted | ScanDispatched | ScanAnalyzed

export const eventSchemas = {
  'image.uploaded': imageUploadedSchema,
  'image.rejected': imageRejectedSchema,
  'image.deleted': imageDeletedSchema,
  'scan.dispatched': scanDispatchedSchema,
  'scan.analyzed': scanAnalyzedSchema,
} as const

export type EventType = keyof typeof eventSchemas

/**
 * Events as this version reads them, also those of a newer one: a list may have one more value (docs/events.md, "What may
 * change"). Fields that are not known are passed over.
 */
export const readImageUploadedSchema = imageUploadedSchema.extend({
  data: imageUploadedSchema.shape.data.extend({ purpose: z.string(), content_type: z.string(), checked: z.string() }),
})
export const readImageDeletedSchema = imageDeletedSchema.extend({
  data: imageDeletedSchema.shape.data.extend({ purpose: z.string(), cause: z.string() }),
})

export type ReadImageUploaded = z.infer<typeof readImageUploadedSchema>
export type ReadImageDeleted = z.infer<typeof readImageDeletedSchema>

/** An event as a log takes it: topic by type, keyed by the object. */
export const eventRecord = (event: IntakeEvent) => ({
  topic: event.type,
  key: event.subject,
  value: JSON.stringify(event),
})
