/** Every error that the API answers with: its status and what it means, by its stable code. */
export const problemTable = {
  invalid_target: { status: 400, title: 'The request has no readable URL' },
  request_incomplete: { status: 400, title: 'The request ended before its body did' },
  invalid_json: { status: 400, title: 'The body is not JSON' },
  purpose_contradiction: { status: 400, title: "The body's purpose contradicts the path" },
  token_missing: { status: 401, title: 'A bearer token is needed' },
  token_invalid: { status: 401, title: 'The bearer token is not valid' },
  token_expired: { status: 401, title: 'The bearer token has expired' },
  subject_not_usable: { status: 403, title: "The token's subject cannot own images" },
  image_not_found: { status: 404, title: 'There is no such image' },
  route_not_found: { status: 404, title: 'There is no such route' },
  method_not_allowed: { status: 405, title: 'The route does not take this method' },
  body_too_large: { status: 413, title: 'The body is too large' },
  content_type_not_allowed: { status: 415, title: 'Files of this type are not taken' },
  invalid_request: { status: 422, title: 'The request has wrong or missing fields' },
  internal_error: { status: 500, title: 'The server failed' },
  keys_unavailable: { status: 503, title: "The keys of the tokens' issuer are away" },
  storage_unavailable: { status: 503, title: 'The image store is away' },
} as const

export type ProblemCode = keyof typeof problemTable

/** In the table's order. */
// Object.keys forgets the type of a closed literal's keys.
export const problemCodes = Object.keys(problemTable) as [ProblemCode, ...ProblemCode[]]

/** A field of the request's body that is wrong: where (JSON pointer, RFC 6901) and what would be right. */
export type FieldProblem = { pointer: string; detail: string }

/** Thrown by whatever can't go on; the app turns it into a problem document. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError'
  readonly code: ProblemCode
  readonly extras: { errors?: readonly FieldProblem[] }
  readonly headers: Readonly<Record<string, string>>

  constructor(
    code: ProblemCode,
    detail: string,
    more: { errors?: readonly FieldProblem[]; headers?: Record<string, string>; cause?: unknown } = {},
  ) {
    super(detail, { cause: more.cause })
    this.code = code
    this.extras = more.errors ? { errors: more.errors } : {}
    this.headers = more.headers ?? {}
  }
}

/** The problem document. Source: RFC 9457. */
export const describeProblem = ({ code, message, extras }: ProblemError, requestId: string) => ({
  type: `urn:image-intake:problem:${code}`,
  title: problemTable[code].title,
  status: problemTable[code].status,
  detail: message,
  code,
  request_id: requestId,
  ...extras,
})
