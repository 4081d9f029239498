import { hash } from 'node:crypto'

import type { AwsCredentials } from './credentials.ts'
import { digestSignerOf } from './digest-signature.ts'
import { amzTimestamp, signingKey } from './signing-key.ts'

export type UnsignedRequest = {
  method: string
  /** The path as it is signed: of S3 as it is sent, of all others encoded once more. */
  canonicalPath: string
  /** As `encodeQuery` makes it. */
  query: string
  /** By lower-case names, with `host`; every one is signed. */
  headers: Readonly<Record<string, string>>
  /** SHA-256 of the body in hex, or UNSIGNED-PAYLOAD; also the header `x-amz-content-sha256`, where S3 wants that. */
  payloadHash: string
}

/**
 * Signature Version 4 in a request's headers.
 * Source: AWS, "Create a signed AWS API request".
 * @returns all headers to send: those of the request, and with them date, session and signature
 */
export const signHeaders = (
  request: UnsignedRequest,
  { region, service }: { region: string; service: string },
  { accessKeyId, secretAccessKey, sessionToken }: AwsCredentials,
  now: Date,
): Record<string, string> => {
  const timestamp = amzTimestamp(now)
  const date = timestamp.slice(0, 8)
  const headers: Record<string, string> = { ...request.headers, 'x-amz-date': timestamp }
  if (sessionToken) headers['x-amz-security-token'] = sessionToken
  const names = Object.keys(headers).sort()
  const signedHeaders = names.join(';')
  const lines = names.map((name) => `${name}:${collapse(headers[name] ?? '')}\n`).join('')
  const { method, canonicalPath, query, payloadHash } = request
  const canonicalRequest = [method, canonicalPath, query, lines, signedHeaders, payloadHash].join('\n')
  const scope = `${date}/${region}/${service}/aws4_request`
  const key = signingKey(secretAccessKey, date, region, service)
  const sign = digestSignerOf(key, `AWS4-HMAC-SHA256\n${timestamp}\n${scope}\n`)
  const signature = sign(hash('sha256', canonicalRequest))
  headers['authorization'] =
    `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${signedHeaders}, Signature=${signature}`
  return headers
}

const collapse = (value: string) =>
  /[\s]/.test(value) ? value.replace(/[ \t\r\n]+/g, ' ').replace(/^ | $/g, '') : value
