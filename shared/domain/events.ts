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
] as const
export type RejectionReason = (typeof rejectionReasons)[number]

const eventId = z.string().regex(/^[0-9a-f]{32}$/)

const envelope = <Type extends string, Data extends z.ZodType>(type: Type, data: Data) =>
  z.object({
    specversion: z.literal('1.0'),
    /** The same for the same cause, however often it is published: deduplicate by it. */
    id: eventId,
    source: z.string().min(1),
    type: z.literal(type),
    /** The object's key. */
    subject: z.string(),
    /** When it happened, not when it was published. */
    time: z.iso.datetime(),
    datacontenttype: z.literal('application/json'),
    /** W3C trace context of the upload, when it is known. */
    traceparent: z.string().optional(),
    data,
  })

const image = {
  bucket: z.string(),
  key: z.string(),
  purpose: z.enum(purposeNames),
  user_id: z.string(),
}

const uploadedImage = {
  ...image,
  /** In bytes. */
  size: z.int().nonnegative(),
  etag: z.string(),
  version_id: z.string().optional(),
  uploaded_at: z.iso.datetime(),
}

export const imageUploadedSchema = envelope(
  'image.uploaded',
  z.object({
    ...uploadedImage,
    content_type: z.enum(imageTypes),
    /** In pixels, as stored; `orientation` (EXIF, 1 to 8) says how to turn them. */
    width: z.int().positive(),
    height: z.int().positive(),
    orientation: z.int().min(1).max(8).optional(),
    animated: z.boolean(),
    /** Absent when the bytes that were read don't tell. */
    has_gps: z.boolean().optional(),
    /** `header`: bytes beyond the header were not decoded. */
    checked: z.literal('header'),
    cdn_url: z.url(),
    /** Scans only. */
    job_id: eventId.optional(),
  }),
)

export const imageRejectedSchema = envelope(
  'image.rejected',
  z.object({
    ...uploadedImage,
    /** As the uploader said it. */
    declared_type: z.string(),
    /** As the bytes say it; absent when they say nothing that we know. */
    found_type: z.string().optional(),
    reason: z.enum(rejectionReasons),
    /** A sentence for people. */
    detail: z.string(),
  }),
)

export const imageDeletedSchema = envelope(
  'image.deleted',
  z.object({
    ...image,
    version_id: z.string().optional(),
    deleted_at: z.iso.datetime(),
    cause: z.enum(['deleted', 'expired']),
  }),
)

export const scanDispatchedSchema = envelope(
  'scan.dispatched',
  z.object({
    job_id: eventId,
    key: z.string(),
    user_id: z.string(),
    /** Of the image.uploaded that asked for the job. */
    event_id: eventId,
  }),
)

export type ImageUploaded = z.infer<typeof imageUploadedSchema>
export type ImageRejected = z.infer<typeof imageRejectedSchema>
export type ImageDeleted = z.infer<typeof imageDeletedSchema>
export type ScanDispatched = z.infer<typeof scanDispatchedSchema>
export type IntakeEvent = ImageUploaded | ImageRejected | ImageDeleted | ScanDispatched

export const eventSchemas = {
  'image.uploaded': imageUploadedSchema,
  'image.rejected': imageRejectedSchema,
  'image.deleted': imageDeletedSchema,
  'scan.dispatched': scanDispatchedSchema,
} as const

export type EventType = keyof typeof eventSchemas

/** An event as a log takes it: topic by type, keyed by the object. */
export const eventRecord = (event: IntakeEvent) => ({
  topic: event.type,
  key: event.subject,
  value: JSON.stringify(event),
})
