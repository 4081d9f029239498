import { cdnUrl, type Place } from '#shared/domain/announce.ts'
import { readContentType } from '#shared/domain/content-types.ts'
import { jobId } from '#shared/domain/ids.ts'
import type { ImageType } from '#shared/domain/images/image-types.ts'
import { makeKey, type KeyFacts } from '#shared/domain/keys.ts'
import { purposeRules, type Purpose } from '#shared/domain/purposes.ts'
import type { SignedUpload, UploadLocks } from '#shared/ports/object-store.ts'
import { keepLast } from '#shared/runtime/keep-last.ts'

import { ProblemError, type FieldProblem } from './problems.ts'
import { ticketRequestSchemaOf, type TicketRequest, type UploadTicket } from './schemas.ts'

/** A request that may have its ticket. */
export type CheckedRequest = Omit<TicketRequest, 'content_type'> & { type: ImageType }

/**
 * Reads a ticket's request. A purpose from the path stands in for an absent one.
 * @throws ProblemError: purpose_contradiction, content_type_not_allowed, invalid_request with every wrong field
 */
export const readTicketRequest = (body: unknown, pathPurpose: Purpose | undefined): CheckedRequest => {
  const completed = completePurpose(body, pathPurpose)
  const parsed = ticketRequestSchemaOf(purposeOf(completed)).safeParse(completed)
  if (!parsed.success) throw invalidRequest(parsed.error.issues.flatMap(describeIssue))
  const { content_type, ...request } = parsed.data
  const type = readContentType(content_type, purposeRules(request.purpose).types)
  if (type.ok) return { ...request, type: type.type }
  throw new ProblemError('content_type_not_allowed', type.detail, {
    errors: [{ pointer: '/content_type', detail: type.detail }],
  })
}

const completePurpose = (body: unknown, pathPurpose: Purpose | undefined): unknown => {
  if (pathPurpose === undefined || typeof body !== 'object' || body === null || Array.isArray(body)) return body
  if (!('purpose' in body)) return { ...body, purpose: pathPurpose }
  if (body.purpose === pathPurpose) return body
  const detail = `The path asks for a ${pathPurpose} ticket: leave "purpose" out or set it to "${pathPurpose}".`
  throw new ProblemError('purpose_contradiction', detail)
}

const purposeOf = (body: unknown): unknown =>
  typeof body === 'object' && body !== null && 'purpose' in body ? body.purpose : undefined

type Issue = { path: PropertyKey[]; message: string; code?: string; keys?: string[] }

const describeIssue = ({ path, message, code, keys }: Issue): FieldProblem[] => {
  if (code === 'unrecognized_keys' && keys) {
    return keys.map((key) => ({ pointer: pointerOf([...path, key]), detail: 'is not a field of this request' }))
  }
  return [{ pointer: pointerOf(path), detail: path.length === 0 ? 'must be a JSON object' : message }]
}

/** Source: RFC 6901. */
const pointerOf = (path: PropertyKey[]) =>
  path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')

/** A body may hold thousands of unknown fields; an answer names no more than these. */
const maxErrors = 10

const invalidRequest = (found: FieldProblem[]) => {
  const errors = found.slice(0, maxErrors)
  const sentences = errors.map(({ pointer, detail }) => `${pointer.slice(1) || 'the body'} ${detail}`)
  return new ProblemError('invalid_request', `${sentences.join('; ')}.`, { errors })
}

/** What every ticket keeps to. */
export type TicketRules = {
  seconds: number
  /** False only for stores that know no conditional writes. */
  createOnly: boolean
}

/** What a ticket is made of, apart from its signature. `id`: 128 random bits in hex. */
export const planTicket = (
  request: CheckedRequest,
  by: { userId: string; id: string; now: Date; traceparent?: string | undefined },
  rules: TicketRules,
): { facts: KeyFacts; locks: UploadLocks } => {
  const made = makeKey({ purpose: request.purpose, userId: by.userId, id: by.id, now: by.now })
  if (!made.ok) throw new ProblemError('subject_not_usable', `The token's subject cannot stand in a key: ${made.code}.`)
  const { facts } = made
  const locks: UploadLocks = {
    key: facts.key,
    contentType: request.type,
    contentLength: request.content_length,
    createOnly: rules.createOnly,
    expiresInSeconds: rules.seconds,
  }
  if (request.checksum_sha256 !== undefined) locks.checksumSha256 = request.checksum_sha256
  if (by.traceparent !== undefined) locks.traceparent = by.traceparent
  return { facts, locks }
}

/** The ticket as the client gets it. */
export const writeTicket = (
  place: Place,
  { key, purpose }: KeyFacts,
  { url, method, requiredHeaders, expiresInSeconds }: SignedUpload,
  now: Date,
): UploadTicket => ({
  key,
  upload_url: url,
  method,
  required_headers: { ...requiredHeaders },
  cdn_url: cdnUrl(place, key),
  expires_in: expiresInSeconds,
  // A signature's time has no milliseconds.
  expires_at: writeSecond(Math.floor(now.getTime() / 1000) + expiresInSeconds),
  ...(purpose === 'scan' ? { job_id: jobId(place.bucket, key) } : {}),
})

/** A second of the clock, since 1970, as ISO 8601 writes it; written once for all its tickets. */
const writeSecond = keepLast((second) => new Date(second * 1000).toISOString())
