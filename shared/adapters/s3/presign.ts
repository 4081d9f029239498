import { hash } from 'node:crypto'

import type { UploadLocks } from '#shared/ports/object-store.ts'

import type { AwsCredentials } from '../aws/credentials.ts'
import { digestSigner, type SignDigest } from '../aws/digest-signature.ts'
import { amzTimestamp, signingKey } from '../aws/signing-key.ts'
import { encodePart, encodePath } from '../aws/uri.ts'

/** Where keys begin: scheme and host, and the path before a key (`/`, or `/bucket/`), percent-encoded. */
export type UploadBase = { origin: string; host: string; pathPrefix: string }

/** What all URLs of a second share that live equally long, under the same credentials. */
type Moment = {
  second: number
  credentials: AwsCredentials
  expiresInSeconds: number
  /** Of a canonical request's hash. */
  sign: SignDigest
  /** The query up to the signature. */
  query: string
}

/**
 * Presigns PUTs by Signature Version 4 in the query. The day's key, and what a second's URLs share, are made once.
 * Source: Amazon S3 API Reference, "Authenticating Requests: Using Query Parameters". What is enforced is what stands in
 * X-Amz-SignedHeaders.
 * @returns the URL under which exactly these locks may be uploaded, byte for byte as the AWS SDK's presigner writes it
 */
export const presigner = (region: string, { origin, host, pathPrefix }: UploadBase) => {
  let held: Moment | undefined
  const momentOf = (credentials: AwsCredentials, expiresInSeconds: number, now: Date): Moment => {
    const second = Math.floor(now.getTime() / 1000)
    const fits = held?.second === second && held.credentials === credentials
    if (held && fits && held.expiresInSeconds === expiresInSeconds) return held
    return (held = { ...openMoment(region, credentials, expiresInSeconds, now), second })
  }
  return (credentials: AwsCredentials, locks: UploadLocks, expiresInSeconds: number, now: Date): string => {
    const { sign, query } = momentOf(credentials, expiresInSeconds, now)
    const names = lockNames(locks)
    const path = pathPrefix + encodePath(locks.key)
    const lines = lockLines(locks, host)
    const canonical = `PUT\n${path}\n${query}${names.query}\n${lines}\n${names.list}\nUNSIGNED-PAYLOAD`
    const signature = sign(hash('sha256', canonical))
    return `${origin}${path}?${query}&X-Amz-Signature=${signature}${names.query}`
  }
}

const openMoment = (region: string, credentials: AwsCredentials, expiresInSeconds: number, now: Date) => {
  const { accessKeyId, secretAccessKey, sessionToken } = credentials
  const timestamp = amzTimestamp(now)
  const date = timestamp.slice(0, 8)
  const scope = `${date}/${region}/s3/aws4_request`
  const token = sessionToken === undefined ? '' : `&X-Amz-Security-Token=${encodePart(sessionToken)}`
  const query =
    'X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD' +
    `&X-Amz-Credential=${encodePart(`${accessKeyId}/${scope}`)}` +
    `&X-Amz-Date=${timestamp}&X-Amz-Expires=${expiresInSeconds}${token}`
  const preamble = `AWS4-HMAC-SHA256\n${timestamp}\n${scope}\n`
  return {
    credentials,
    expiresInSeconds,
    sign: digestSigner(signingKey(secretAccessKey, date, region, 's3'), preamble),
    query,
  }
}

/** The names of the headers that a signature locks, in their order, as the two places of a URL's making want them. */
const namesOf = (...optional: string[]) => {
  const list = ['content-length', 'content-type', 'host', ...optional].join(';')
  return { list, query: `&X-Amz-SignedHeaders=${list.replaceAll(';', '%3B')}&x-id=PutObject` }
}
const [createOnly, checksum, trace] = ['if-none-match', 'x-amz-checksum-sha256', 'x-amz-meta-traceparent'] as const
const usualNames = namesOf(createOnly)

const lockNames = (locks: UploadLocks) => {
  const { checksumSha256, traceparent } = locks
  if (locks.createOnly && checksumSha256 === undefined && traceparent === undefined) return usualNames
  const chosen = [
    locks.createOnly && createOnly,
    checksumSha256 !== undefined && checksum,
    traceparent !== undefined && trace,
  ]
  return namesOf(...chosen.filter((name) => name !== false))
}

/** The same headers with their values. */
const lockLines = (locks: UploadLocks, host: string) =>
  `content-length:${locks.contentLength}\ncontent-type:${locks.contentType}\nhost:${host}\n` +
  (locks.createOnly ? `${createOnly}:*\n` : '') +
  (locks.checksumSha256 === undefined ? '' : `${checksum}:${locks.checksumSha256}\n`) +
  (locks.traceparent === undefined ? '' : `${trace}:${locks.traceparent}\n`)
