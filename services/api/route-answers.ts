import type { z } from '@hono/zod-openapi'

import { fieldProblems, requestId } from './examples.ts'
import { describeProblem, problemTable, ProblemError, type ProblemCode } from './problems.ts'
import { problemSchema } from './schemas.ts'

/** Codes that any route may answer with. */
export const commonCodes = [
  'malformed_request',
  'invalid_target',
  'request_timeout',
  'body_too_large',
  'url_too_long',
  'headers_too_large',
  'internal_error',
] as const
/** Codes that stand with no route: the first where there is none, the other for the methods that a route does not take. */
export const routelessCodes = ['route_not_found', 'method_not_allowed'] as const
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

const text = { type: 'string' } as const
const header = (description: string) => ({ description, schema: text })
export const everyHeader = {
  'X-Request-Id': header('Names this request in the log; also the `request_id` of a problem document.'),
  'Cache-Control': header('`no-store`, except for metadata.'),
}
export const userHeaders = {
  ...everyHeader,
  RateLimit: header('Calls that the user has left, and seconds until all are there again: `"user";r=1199;t=1`.'),
  'RateLimit-Policy': header('Calls that a user has, and the window in seconds: `"user";q=1200;w=60`.'),
}
export const etag = header('Of this document: send it back as If-None-Match.')
export const retryAfter = header('Seconds to wait.')

/** Headers of a problem, by its code. */
const problemHeaders: { readonly [Code in ProblemCode]?: Record<string, ReturnType<typeof header>> } = {
  ...Object.fromEntries(
    ['token_missing', 'token_invalid', 'token_expired'].map((code) => [
      code,
      { 'WWW-Authenticate': header('`Bearer`, with the error as RFC 6750 names it.') },
    ]),
  ),
  ...Object.fromEntries(
    ['rate_limited', 'keys_unavailable', 'credentials_unavailable', 'storage_unavailable'].map((code) => [
      code,
      { 'Retry-After': retryAfter },
    ]),
  ),
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
export const problems = (codes: readonly ProblemCode[], headers: Record<string, ReturnType<typeof header>>) =>
  Object.fromEntries(
    Map.groupBy(codes, (code) => problemTable[code].status)
      .entries()
      .map(([status, grouped]) => [
        status,
        {
          description: grouped.map((code) => `\`${code}\`: ${problemTable[code].title}`).join('; '),
          headers: {
            ...headers,
            ...Object.fromEntries(grouped.flatMap((code) => Object.entries(problemHeaders[code] ?? {}))),
          },
          content: {
            'application/problem+json': {
              schema: problemSchema,
              examples: Object.fromEntries(grouped.map((code) => [code, problemExample(code)])),
            },
          },
        },
      ]),
  )
