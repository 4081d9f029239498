import type { z } from '@hono/zod-openapi'

import { fieldProblems, requestId } from './examples.ts'
import { describeProblem, problemTable, ProblemError, type ProblemCode } from './problems.ts'
import { problemSchema } from './schemas.ts'

/** Codes that any route may answer with. */
export const commonCodes = [
  'malformed_request',
  'invalid_target',
  'method_not_allowed',
  'request_timeout',
  'body_too_large',
  'url_too_long',
  'headers_too_large',
  'internal_error',
] as const
export const userCodes = [
  'token_missing',
  'token_invalid',
  'token_expired',
  'subject_not_usable',
  'rate_limited',
  'keys_unavailable',
  'credentials_unavailable',
  'storage_unavailable',
] as const
export const ticketCodes = [
  'request_incomplete',
  'invalid_json',
  'content_type_not_allowed',
  'invalid_request',
] as const

/** Codes that are answered before the caller is known: no calls of a user are counted yet. */
const anonymousCodes = new Set<ProblemCode>([
  'malformed_request',
  'invalid_target',
  'method_not_allowed',
  'request_timeout',
  'url_too_long',
  'headers_too_large',
  'token_missing',
  'token_invalid',
  'token_expired',
  'subject_not_usable',
  'keys_unavailable',
])

type Header = { description: string; schema: { type: 'string'; const?: string }; required?: boolean }
type Headers = Record<string, Header>

/** Not required: it depends on what was asked, or on the configuration. */
const header = (description: string): Header => ({ description, schema: { type: 'string' } })
const sure = (description: string): Header => ({ ...header(description), required: true })

export const everyHeader: Headers = {
  'X-Request-Id': sure('Names this request in the log; also the `request_id` of a problem document.'),
  'Cache-Control': sure('`no-store`, except for metadata.'),
}
/** Of answers to a known caller, where calls are limited. */
const limitHeaders: Headers = {
  RateLimit: header('Calls that the user has left, and seconds until all are there again: `"user";r=1199;t=1`.'),
  'RateLimit-Policy': header('Calls that a user has, and the window in seconds: `"user";q=1200;w=60`.'),
}
export const userHeaders: Headers = { ...everyHeader, ...limitHeaders }
export const etag = sure('Of this document: send it back as If-None-Match.')
export const retryAfter = sure('Seconds to wait.')

/** What a route's problems depend on. */
export type RouteTraits = {
  codes: readonly ProblemCode[]
  /** The methods that its path takes, as the header Allow lists them. */
  allow: string
  /** Whether it knows its callers, whose calls may be limited. */
  hasUsers?: boolean
  /** Whether it reads a body, whose length shows only then where it was not declared. */
  readsBody?: boolean
}

/** Headers that all problems of a status have. */
const ofStatus = (status: number, allow: string): Headers => {
  if (status === 401) return { 'WWW-Authenticate': sure('`Bearer`, with the error as RFC 6750 names it.') }
  if (status === 405)
    return { Allow: { ...sure('The methods of this path.'), schema: { type: 'string', const: allow } } }
  return status === 429 || status === 503 ? { 'Retry-After': retryAfter } : {}
}

const headersOf = (code: ProblemCode, { allow, hasUsers = false, readsBody = false }: RouteTraits): Headers => {
  const isAnonymous = anonymousCodes.has(code) || (code === 'body_too_large' && !readsBody)
  const common = hasUsers && !isAnonymous ? userHeaders : everyHeader
  return { ...common, ...ofStatus(problemTable[code].status, allow) }
}

export const json = <Schema extends z.ZodType>(
  schema: Schema,
  shown: Record<string, { summary?: string; value: unknown }>,
) => ({
  'application/json': { schema, examples: shown },
})

const problemExample = (code: ProblemCode) => {
  const { detail, ...more } = fieldProblems[code] ?? {}
  const problem = new ProblemError(code, detail, more)
  return { summary: problemTable[code].title, value: describeProblem(problem, requestId) }
}

/** Problem answers grouped by status, since one status may have several codes. */
export const problems = (traits: RouteTraits) =>
  Object.fromEntries(
    Map.groupBy(traits.codes, (code) => problemTable[code].status)
      .entries()
      .map(([status, codes]) => [
        status,
        {
          description: codes.map((code) => `\`${code}\`: ${problemTable[code].title}`).join('; '),
          headers: Object.assign({}, ...codes.map((code) => headersOf(code, traits))) as Headers, // assign gives any
          content: {
            'application/problem+json': {
              schema: problemSchema,
              examples: Object.fromEntries(codes.map((code) => [code, problemExample(code)])),
            },
          },
        },
      ]),
  )
