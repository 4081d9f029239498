import type { z } from '@hono/zod-openapi'
import type { Context } from 'hono'

/** What a request is answered with, before the headers that every answer has. */
export type Answer = { status: number; body: string | null; headers: Readonly<Record<string, string>> }

type Route = { responses: object }
type JsonBody<Answered> = Answered extends {
  content: { 'application/json': { schema: infer Schema extends z.ZodType } }
}
  ? z.input<Schema>
  : never

/** A JSON answer of a route: its body has the form that the route's description gives for that status. */
export const json = <R extends Route, Status extends keyof R['responses'] & number>(
  _route: R,
  status: Status,
  body: JsonBody<R['responses'][Status]>,
  headers: Readonly<Record<string, string>> = {},
): Answer => ({ status, body: JSON.stringify(body), headers: { 'Content-Type': 'application/json', ...headers } })

export const empty = (status: number, headers: Readonly<Record<string, string>> = {}): Answer => ({
  status,
  body: null,
  headers,
})

/**
 * Of every answer: nothing of it may be kept, guessed at, framed or sent over plain HTTP from then on. The policy fits
 * documents that load nothing. Source: OWASP REST Security Cheat Sheet, "Security Headers".
 */
export const securityHeaders = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'Strict-Transport-Security': 'max-age=15552000; includeSubDomains',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
} as const

/** Headers of answers that pages of allowed origins may read. */
export const exposedHeaders = ['ETag', 'RateLimit', 'RateLimit-Policy', 'Retry-After', 'X-Request-Id'] as const

const exposed = exposedHeaders.join(',')

/** What a page of an allowed origin needs to read an answer. Source: Fetch Standard, "CORS protocol". */
export const corsHeaders = (origin: string | undefined, allowed: ReadonlySet<string>): Record<string, string> =>
  origin === undefined || !allowed.has(origin)
    ? { Vary: 'Origin' }
    : { Vary: 'Origin', 'Access-Control-Allow-Origin': origin, 'Access-Control-Expose-Headers': exposed }

/** An answer with the headers that all have. */
export const completeAnswer = (
  { status, body, headers }: Answer,
  requestId: string,
  origin: string | undefined,
  allowed: ReadonlySet<string>,
): Answer => ({
  status,
  body,
  headers: { ...securityHeaders, 'X-Request-Id': requestId, ...corsHeaders(origin, allowed), ...headers },
})

/** The answer to a preflight, which carries no token; another origin's gets no more than these words. */
export const answerPreflight = (c: Context, allowed: ReadonlySet<string>): Answer =>
  empty(204, {
    Vary: 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers',
    ...(allowed.has(c.req.header('Origin') ?? '') && {
      'Access-Control-Allow-Methods': 'GET,POST,DELETE',
      'Access-Control-Allow-Headers': 'Authorization,Content-Type,If-None-Match,traceparent',
      'Access-Control-Max-Age': '3600',
    }),
  })
