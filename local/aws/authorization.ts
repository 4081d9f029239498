import { AwsError } from './errors.ts'
import type { AwsRequest } from './http.ts'

/** What a request claims about its own signature; nothing of it is verified yet. */
export type Authorization = {
  form: 'header' | 'query'
  scope: { accessKeyId: string; date: string; region: string; service: string }
  /** Lower case, sorted, each once. */
  signedHeaders: readonly string[]
  /** 64 hex digits. */
  signature: string
  /** yyyymmddThhmmssZ, as it was signed. */
  timestamp: string
  signedAtMs: number
  /** Infinity in the header form. */
  expiresSeconds: number
}

const maxExpiresSeconds = 604_800
const queryNames = ['Algorithm', 'Credential', 'Signature', 'Date', 'SignedHeaders', 'Expires']

/**
 * Reads the Authorization header or the X-Amz-* query parameters.
 * @throws AwsError AccessDenied when there is neither, else S3's code for what is malformed
 */
export const parseAuthorization = (request: AwsRequest): Authorization => {
  const header = request.headers.get('authorization')
  const inQuery = request.query.some(([name]) => queryNames.some((known) => name === `X-Amz-${known}`))
  if (header !== undefined && inQuery)
    throw new AwsError(
      'InvalidArgument',
      400,
      'Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified',
    )
  if (request.headers.has('x-amz-security-token') || request.query.some(([name]) => name === 'X-Amz-Security-Token'))
    throw new AwsError('InvalidToken', 400, 'The provided token is malformed or otherwise invalid.')
  if (header !== undefined) return parseHeaderForm(request, header)
  if (inQuery) return parseQueryForm(request)
  throw new AwsError('AccessDenied', 403, 'Access Denied')
}

const parseHeaderForm = (request: AwsRequest, header: string): Authorization => {
  const refuse = (reason: string) =>
    new AwsError('AuthorizationHeaderMalformed', 400, `The authorization header is malformed; ${reason}`)
  if (!header.startsWith('AWS4-HMAC-SHA256'))
    throw new AwsError(
      'InvalidRequest',
      400,
      'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.',
    )
  const parts = /^AWS4-HMAC-SHA256 +Credential=([^\s,]+), *SignedHeaders=([^\s,]+), *Signature=([^\s,]+)$/.exec(header)
  if (!parts) throw refuse('it must hold Credential, SignedHeaders and Signature, in this order.')
  const [, credential = '', signedHeaders = '', signature = ''] = parts
  const timestamp = request.headers.get('x-amz-date')
  const signedAtMs = timestamp === undefined ? undefined : parseTimestamp(timestamp)
  if (timestamp === undefined || signedAtMs === undefined)
    throw new AwsError('AccessDenied', 403, 'AWS authentication requires a valid Date or x-amz-date header')
  return {
    form: 'header',
    scope: parseScope(credential, timestamp, refuse),
    signedHeaders: parseSignedHeaders(signedHeaders, refuse),
    signature: parseSignature(signature, refuse),
    timestamp,
    signedAtMs,
    expiresSeconds: Infinity,
  }
}

const parseQueryForm = (request: AwsRequest): Authorization => {
  const refuse = (reason: string) => new AwsError('AuthorizationQueryParametersError', 400, reason)
  const take = (name: string): string => {
    const values = request.query.filter(([key]) => key === `X-Amz-${name}`).map(([, value]) => value)
    const [value] = values
    if (value === undefined || values.length > 1)
      throw refuse(
        'Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters, each once.',
      )
    return value
  }
  const [algorithm, credential, signature, timestamp, signedHeaders, expires] = queryNames.map(take)
  if (algorithm !== 'AWS4-HMAC-SHA256') throw refuse('X-Amz-Algorithm only supports "AWS4-HMAC-SHA256"')
  const signedAtMs = parseTimestamp(timestamp ?? '')
  if (timestamp === undefined || signedAtMs === undefined)
    throw refuse(`X-Amz-Date must be in the ISO8601 Long Format "yyyyMMdd'T'HHmmss'Z'"`)
  return {
    form: 'query',
    scope: parseScope(credential ?? '', timestamp, (reason) =>
      refuse(`Error parsing the X-Amz-Credential parameter; ${reason}`),
    ),
    signedHeaders: parseSignedHeaders(signedHeaders ?? '', refuse),
    signature: parseSignature(signature ?? '', refuse),
    timestamp,
    signedAtMs,
    expiresSeconds: parseExpires(expires ?? '', refuse),
  }
}

type Refuse = (reason: string) => AwsError

const parseScope = (credential: string, timestamp: string, refuse: Refuse): Authorization['scope'] => {
  const parts = credential.split('/')
  const [accessKeyId = '', date = '', region = '', service = '', terminator = ''] = parts
  if (
    parts.length !== 5 ||
    terminator !== 'aws4_request' ||
    !accessKeyId ||
    !region ||
    !service ||
    !/^\d{8}$/.test(date)
  )
    throw refuse('the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".')
  if (!timestamp.startsWith(date))
    throw refuse(
      `Invalid credential date "${date}". This date is not the same as X-Amz-Date: "${timestamp.slice(0, 8)}".`,
    )
  return { accessKeyId, date, region, service }
}

const parseSignedHeaders = (text: string, refuse: Refuse): readonly string[] => {
  const names = text.split(';')
  const inOrder = names.every(
    (name, index) => /^[!-:<-~]+$/.test(name) && (index === 0 || (names[index - 1] ?? '') < name),
  )
  if (!inOrder || text !== text.toLowerCase())
    throw refuse('SignedHeaders must be lower case, sorted and joined by semicolons.')
  return names
}

const parseSignature = (text: string, refuse: Refuse): string => {
  if (!/^[0-9a-f]{64}$/.test(text)) throw refuse('the Signature must be 64 lower-case hex digits.')
  return text
}

const parseExpires = (text: string, refuse: Refuse): number => {
  if (!/^-?\d{1,10}$/.test(text)) throw refuse('X-Amz-Expires should be a number')
  const seconds = Number(text)
  if (seconds < 1) throw refuse('X-Amz-Expires must be at least 1')
  if (seconds > maxExpiresSeconds)
    throw refuse(
      'X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds',
    )
  return seconds
}

const parseTimestamp = (text: string): number | undefined => {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text)
  if (!parts) return undefined
  const [, year = '', month = '', day = '', hour = '', minute = '', second = ''] = parts
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  return Number.isNaN(ms) ? undefined : ms
}
