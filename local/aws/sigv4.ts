import { createHash, createHmac, timingSafeEqual } from 'node:crypto'

import { type Authorization, parseAuthorization } from './authorization.ts'
import { AwsError } from './errors.ts'
import type { AwsRequest } from './http.ts'

export type Credentials = { accessKeyId: string; secretAccessKey: string }
export type SigningRules = { service: 's3' | 'sqs'; region: string; credentials: Credentials; now: () => number }

const maxSkewMs = 15 * 60 * 1000

/**
 * Lets a request pass only when its Signature Version 4 covers it: header or query form, never both.
 * `payloadHashOf` names the payload hash that the form signs.
 * Source: AWS, "Authenticating Requests (AWS Signature Version 4)".
 * @throws AwsError with S3's code for what is wrong
 */
export const verifySignature = (
  request: AwsRequest,
  payloadHashOf: (form: Authorization['form']) => string,
  rules: SigningRules,
): void => {
  const authorization = parseAuthorization(request)
  checkScope(authorization, rules)
  checkTime(authorization, rules.now())
  checkSignedHeaders(request, authorization)
  checkSignature(request, authorization, payloadHashOf(authorization.form), rules)
}

const checkScope = ({ form, scope }: Authorization, { service, region, credentials }: SigningRules): void => {
  const refuse = (reason: string, fields: Record<string, string> = {}) =>
    form === 'header'
      ? new AwsError('AuthorizationHeaderMalformed', 400, `The authorization header is malformed; ${reason}`, fields)
      : new AwsError(
          'AuthorizationQueryParametersError',
          400,
          `Error parsing the X-Amz-Credential parameter; ${reason}`,
          fields,
        )
  if (scope.accessKeyId !== credentials.accessKeyId)
    throw new AwsError('InvalidAccessKeyId', 403, 'The AWS Access Key Id you provided does not exist in our records.', {
      AWSAccessKeyId: scope.accessKeyId,
    })
  if (scope.region !== region)
    throw refuse(`the region '${scope.region}' is wrong; expecting '${region}'`, { Region: region })
  if (scope.service !== service)
    throw refuse(`incorrect service "${scope.service}". This endpoint belongs to "${service}".`)
}

const checkTime = ({ form, timestamp, signedAtMs, expiresSeconds }: Authorization, nowMs: number): void => {
  const serverTime = new Date(nowMs).toISOString()
  if (form === 'header') {
    if (Math.abs(nowMs - signedAtMs) <= maxSkewMs) return
    throw new AwsError(
      'RequestTimeTooSkewed',
      403,
      'The difference between the request time and the current time is too large.',
      { RequestTime: timestamp, ServerTime: serverTime, MaxAllowedSkewMilliseconds: String(maxSkewMs) },
    )
  }
  if (signedAtMs - nowMs > maxSkewMs)
    throw new AwsError('AccessDenied', 403, 'Request is not yet valid', { ServerTime: serverTime })
  const expiresMs = signedAtMs + expiresSeconds * 1000
  if (nowMs <= expiresMs) return
  const expires = new Date(expiresMs).toISOString()
  const fields = { 'X-Amz-Expires': String(expiresSeconds), Expires: expires, ServerTime: serverTime }
  throw new AwsError('AccessDenied', 403, 'Request has expired', fields)
}

const checkSignedHeaders = (request: AwsRequest, { signedHeaders }: Authorization): void => {
  const mustBeSigned = ['host', ...[...request.headers.keys()].filter((name) => name.startsWith('x-amz-'))]
  const unsigned = mustBeSigned.filter((name) => !signedHeaders.includes(name))
  if (unsigned.length > 0)
    throw new AwsError('AccessDenied', 403, 'There were headers present in the request which were not signed', {
      HeadersNotSigned: unsigned.join(', '),
    })
}

const checkSignature = (
  request: AwsRequest,
  authorization: Authorization,
  payloadHash: string,
  { credentials }: SigningRules,
): void => {
  const { timestamp, scope, signedHeaders, signature } = authorization
  const canonical = canonicalRequest(request, signedHeaders, payloadHash)
  const scopeText = `${scope.date}/${scope.region}/${scope.service}/aws4_request`
  // Header values come as Latin-1 from node:http, so Latin-1 gives back the bytes that were sent.
  const digest = createHash('sha256').update(canonical, 'latin1').digest('hex')
  const stringToSign = `AWS4-HMAC-SHA256\n${timestamp}\n${scopeText}\n${digest}`
  const expected = hmac(signingKey(credentials.secretAccessKey, scope), stringToSign)
  const allPresent = signedHeaders.every((name) => request.headers.has(name))
  if (allPresent && timingSafeEqual(expected, Buffer.from(signature, 'hex'))) return
  throw new AwsError(
    'SignatureDoesNotMatch',
    403,
    'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
    {
      AWSAccessKeyId: scope.accessKeyId,
      StringToSign: stringToSign,
      SignatureProvided: signature,
      CanonicalRequest: canonical,
    },
  )
}

const canonicalRequest = (request: AwsRequest, signedHeaders: readonly string[], payloadHash: string): string => {
  const query = request.query
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]): [string, string] => [encodeStrict(name), encodeStrict(value)])
    .sort(([nameA, valueA], [nameB, valueB]) => compare(nameA, nameB) || compare(valueA, valueB))
    .map(([name, value]) => `${name}=${value}`)
  const headers = signedHeaders.map((name) => `${name}:${collapse(request.headers.get(name) ?? '')}\n`)
  const path = request.path.split('/').map(encodeStrict).join('/')
  return [request.method, path, query.join('&'), headers.join(''), signedHeaders.join(';'), payloadHash].join('\n')
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

const collapse = (value: string): string => value.trim().replace(/\s+/g, ' ')

/** RFC 3986: all but unreserved characters become %XX. */
const encodeStrict = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)

const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()

const signingKeys = new Map<string, Buffer>()

const signingKey = (secret: string, { date, region, service }: Authorization['scope']): Buffer => {
  const name = JSON.stringify([secret, date, region, service])
  const known = signingKeys.get(name)
  if (known) return known
  const key = [date, region, service, 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${secret}`)
  if (signingKeys.size > 100) signingKeys.clear()
  const bytes = Buffer.from(key)
  signingKeys.set(name, bytes)
  return bytes
}
