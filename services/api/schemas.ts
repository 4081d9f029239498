import { z } from '@hono/zod-openapi'

import { purposeNames, purposeRules, type PurposeRules } from '#shared/domain/purposes.ts'
import { rejectionReasons } from '#shared/domain/events.ts'
import { imageTypes } from '#shared/domain/images/image-types.ts'

import { problemCodes } from './problems.ts'

const example = {
  key: 'scans/20261123/user-1/0f8fad5bd9cb469fa16570867728950e',
  cdn_url: 'https://cdn.example.com/scans/20261123/user-1/0f8fad5bd9cb469fa16570867728950e',
}

const checksumRule = "must be the base64 of the file's SHA-256: 44 characters that stand for 32 bytes"

/** What of a purpose's rules a request must keep to. */
type Limits = Pick<PurposeRules, 'types' | 'minBytes' | 'maxBytes'>

/** The content type's allow-list is checked apart, since its refusal is a 415. */
const requestWithin = ({ types, minBytes, maxBytes }: Limits, lengthNote = '') => {
  const lengthRule = `must be a whole number of bytes from ${minBytes} to ${maxBytes}`
  return z.strictObject({
    purpose: z.enum(purposeNames, { error: `must be one of ${purposeNames.join(', ')}` }),
    content_type: z.string({ error: `must be one of ${types.join(', ')}` }).openapi({
      example: types[0],
      description: `One of ${types.join(', ')}, in any case; image/jpg means image/jpeg. Any other is a 415.`,
    }),
    content_length: z
      .int({ error: lengthRule, abort: true })
      .min(minBytes, { error: lengthRule })
      .max(maxBytes, { error: lengthRule })
      .openapi({ example: Math.min(48_213, maxBytes), description: `Bytes of the file, exactly.${lengthNote}` }),
    checksum_sha256: z
      .string({ error: checksumRule })
      .refine((text) => /^[A-Za-z0-9+/]{43}=$/.test(text) && Buffer.from(text, 'base64').toString('base64') === text, {
        error: checksumRule,
      })
      .optional()
      .openapi({ description: "The base64 of the file's SHA-256: S3 then takes no other bytes." }),
  })
}

const rows = purposeNames.map((purpose) => ({ purpose, ...purposeRules(purpose) }))
/** What some purpose at least takes. */
const widest: Limits = {
  types: imageTypes.filter((type) => rows.some(({ types }) => types.includes(type))),
  minBytes: Math.min(...rows.map(({ minBytes }) => minBytes)),
  maxBytes: Math.max(...rows.map(({ maxBytes }) => maxBytes)),
}
const isStricter = ({ minBytes, maxBytes }: Limits) => minBytes > widest.minBytes || maxBytes < widest.maxBytes
const stricter = rows
  .filter(isStricter)
  .map(({ purpose, minBytes, maxBytes }) => ` For ${purpose} from ${minBytes} to ${maxBytes}.`)

/** What a ticket is asked with, before its purpose is known: what no purpose takes is refused. */
export const ticketRequestSchema = requestWithin(widest, stricter.join('')).openapi('TicketRequest')

export type TicketRequest = z.infer<typeof ticketRequestSchema>

const requestsByPurpose = new Map<unknown, ReturnType<typeof requestWithin>>(
  rows.map((row) => [row.purpose, requestWithin(row)]),
)

/** The same within the rules of a purpose, where it is one. */
export const ticketRequestSchemaOf = (purpose: unknown) => requestsByPurpose.get(purpose) ?? ticketRequestSchema

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
