import { z } from '@hono/zod-openapi'

import { purposeNames, purposeRules } from '#shared/domain/purposes.ts'
import { rejectionReasons } from '#shared/domain/events.ts'
import { imageTypes } from '#shared/domain/images/image-types.ts'

import { problemCodes } from './problems.ts'

const { minBytes, maxBytes } = purposeRules('scan')
const example = {
  key: 'scans/20261123/user-1/0f8fad5bd9cb469fa16570867728950e',
  cdn_url: 'https://cdn.example.com/scans/20261123/user-1/0f8fad5bd9cb469fa16570867728950e',
}

const lengthRule = `must be a whole number of bytes from ${minBytes} to ${maxBytes}`
const checksumRule = "must be the base64 of the file's SHA-256: 44 characters that stand for 32 bytes"

/** What a ticket is asked with. The content type's allow-list is checked apart, since its refusal is a 415. */
export const ticketRequestSchema = z
  .strictObject({
    purpose: z.enum(purposeNames, { error: `must be one of ${purposeNames.join(', ')}` }),
    content_type: z.string({ error: `must be one of ${imageTypes.join(', ')}` }).openapi({
      example: 'image/jpeg',
      description: `One of ${imageTypes.join(', ')}, in any case; image/jpg means image/jpeg. Any other is a 415.`,
    }),
    content_length: z
      .int({ error: lengthRule, abort: true })
      .min(minBytes, { error: lengthRule })
      .max(maxBytes, { error: lengthRule })
      .openapi({ example: 48_213, description: 'Bytes of the file, exactly.' }),
    checksum_sha256: z
      .string({ error: checksumRule })
      .refine((text) => /^[A-Za-z0-9+/]{43}=$/.test(text) && Buffer.from(text, 'base64').toString('base64') === text, {
        error: checksumRule,
      })
      .optional()
      .openapi({ description: "The base64 of the file's SHA-256: S3 then takes no other bytes." }),
  })
  .openapi('TicketRequest')

export type TicketRequest = z.infer<typeof ticketRequestSchema>

export const ticketSchema = z
  .object({
    key: z.string().openapi({ example: example.key }),
    upload_url: z.url(),
    method: z.literal('PUT'),
    required_headers: z.record(z.string(), z.string()).openapi({
      description: 'All that the client must set itself; host and content-length it sends anyway.',
    }),
    cdn_url: z.url().openapi({ example: example.cdn_url }),
    expires_in: z.int().openapi({ description: 'Seconds.' }),
    expires_at: z.iso.datetime(),
    job_id: z.string().optional().openapi({ description: 'Scans only.' }),
  })
  .openapi('UploadTicket')

export type UploadTicket = z.infer<typeof ticketSchema>

export const metadataSchema = z
  .object({
    key: z.string().openapi({ example: example.key }),
    purpose: z.enum(purposeNames),
    user_id: z.string(),
    status: z.enum(['pending', 'accepted', 'rejected']),
    reason: z.enum(rejectionReasons).optional(),
    detail: z.string().optional(),
    size: z.int().openapi({ description: 'Bytes.' }),
    content_type: z.string(),
    etag: z.string(),
    width: z.int().optional(),
    height: z.int().optional(),
    uploaded_at: z.iso.datetime(),
    kept_until: z.iso.datetime().nullable().openapi({ description: 'Null: for ever.' }),
    cdn_url: z.url().openapi({ example: example.cdn_url }),
  })
  .openapi('ImageMetadata')

export type ImageMetadata = z.infer<typeof metadataSchema>

export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.enum(problemCodes),
    request_id: z.string(),
    errors: z
      .array(
        z.object({
          pointer: z.string().openapi({ description: 'To the field of the request, as RFC 6901 writes it.' }),
          detail: z.string(),
        }),
      )
      .optional(),
  })
  .openapi('Problem')
