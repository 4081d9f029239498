/** Every error that the API answers with, by its stable code: its status, what it means and what to do about it. */
export const problemTable = {
  malformed_request: {
    status: 400,
    title: 'The request is not HTTP',
    remedy: 'Send a request as HTTP/1.1 writes it: one length, no control characters inside headers.',
  },
  invalid_target: {
    status: 400,
    title: 'The request has no readable URL',
    remedy: 'Send a path that begins with a slash, and one Host header that is a host name and a port.',
  },
  request_incomplete: {
    status: 400,
    title: 'The request ended before its body did',
    remedy: 'Send as many bytes as Content-Length says.',
  },
  invalid_json: {
    status: 400,
    title: 'The body is not JSON',
    remedy: 'Send a JSON object, such as {"purpose":"scan","content_type":"image/jpeg","content_length":48213}.',
  },
  purpose_contradiction: {
    status: 400,
    title: "The body's purpose contradicts the path",
    remedy: 'Leave "purpose" out, or send the one that the path names.',
  },
  token_missing: {
    status: 401,
    title: 'A bearer token is needed',
    remedy: 'Send the header "Authorization: Bearer <token>".',
  },
  token_invalid: {
    status: 401,
    title: 'The bearer token is not valid',
    remedy: 'Get a token from the issuer that this API trusts; the detail says what is wrong with this one.',
  },
  token_expired: { status: 401, title: 'The bearer token has expired', remedy: 'Ask for a new token.' },
  subject_not_usable: {
    status: 403,
    title: "The token's subject cannot own images",
    remedy: 'Issue tokens whose "sub" is Unicode text with a form of at most 512 characters in a key.',
  },
  image_not_found: {
    status: 404,
    title: 'There is no such image',
    remedy: 'Use a key from a ticket of your own. Before its upload an image is not there either.',
  },
  route_not_found: { status: 404, title: 'There is no such route', remedy: 'See /docs for those that there are.' },
  method_not_allowed: {
    status: 405,
    title: 'The route does not take this method',
    remedy: 'Use one of the methods in the header Allow.',
  },
  request_timeout: {
    status: 408,
    title: 'The request came too slowly',
    remedy: 'Send the headers within 5 s and the whole request within 10 s.',
  },
  body_too_large: {
    status: 413,
    title: 'The body is too large',
    remedy: 'A request has at most 16,384 bytes. The image itself goes to the upload_url of a ticket, not to this API.',
  },
  url_too_long: { status: 414, title: 'The URL is too long', remedy: 'Send a URL of at most 2,048 characters.' },
  content_type_not_allowed: {
    status: 415,
    title: 'Files of this type are not taken',
    remedy: 'Send one of the types that the detail lists; convert HEIC photos to JPEG, and draw SVG to PNG, before.',
  },
  invalid_request: {
    status: 422,
    title: 'The request has wrong or missing fields',
    remedy: 'Mend each field that "errors" names by its JSON pointer.',
  },
  rate_limited: {
    status: 429,
    title: 'The user has made too many calls',
    remedy: 'Wait as long as Retry-After says; RateLimit and RateLimit-Policy tell what is left.',
  },
  headers_too_large: {
    status: 431,
    title: 'The headers are too large',
    remedy: 'Send at most 16 kB of request line and headers, the token among them.',
  },
  internal_error: {
    status: 500,
    title: 'The server failed',
    remedy: 'Report the request_id: the log has the cause under it.',
  },
  keys_unavailable: {
    status: 503,
    title: "The keys of the tokens' issuer are away",
    remedy: 'Try again after as many seconds as Retry-After says.',
  },
  credentials_unavailable: {
    status: 503,
    title: 'The service has no credentials for now',
    remedy: 'Try again after as many seconds as Retry-After says; its operator sees why in the log.',
  },
  storage_unavailable: {
    status: 503,
    title: 'The image store is away',
    remedy: 'Try again after as many seconds as Retry-After says.',
  },
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
    detail: string = problemTable[code].remedy,
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
