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
  /** Of the usual locks, by content type. */
  frames: Map<string, Frame>
}

/** What requests share whose locks differ in key and length alone: of the canonical request, and of the URL. */
type Frame = { fromPathToLength: string; fromLength: string; query: string }

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
    const moment = momentOf(credentials, expiresInSeconds, now)
    const frame = frameOf(moment, locks, host)
    const path = pathPrefix + encodePath(locks.key)
    const canonical = `PUT\n${path}${frame.fromPathToLength}${locks.contentLength}${frame.fromLength}`
    const signature = moment.sign(hash('sha256', canonical))
    return `${origin}${path}?${moment.query}&X-Amz-Signature=${signature}${frame.query}`
  }
}

const frameOf = ({ query, frames }: Moment, locks: UploadLocks, host: string): Frame => {
  const isUsual = locks.createOnly && locks.checksumSha256 === undefined && locks.traceparent === undefined
  const known = isUsual ? frames.get(locks.contentType) : undefined
  if (known) return known
  const frame = writeFrame(query, locks, host)
  if (isUsual) frames.set(locks.contentType, frame)
  return frame
}

// Joined and not added up: to hash a string of many parts costs a fifth more than one that is whole.
const writeFrame = (query: string, locks: UploadLocks, host: string): Frame => {
  const names = lockNames(locks)
  return {
    fromPathToLength: ['\n', query, names.query, '\ncontent-length:'].join(''),
    fromLength: ['\n', ...lockLines(locks, host), '\n', names.list, '\nUNSIGNED-PAYLOAD'].join(''),
    query: names.query,
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
    frames: new Map<string, Frame>(),
  }
}

/** The names of the headers that a signature locks, in their order, as the two places of a URL's making want them. */
const namesOf = (...optional: string[]) => {
  const list = ['content-length', 'content-type', 'host', ...optional].join(';')
  return { list, query: `&X-Amz-SignedHeaders=${list.replaceAll(';', '%3B')}&x-id=PutObject` }
}
const [createOnly, checksum, trace] = ['if-none-match', 'x-amz-checksum-sha256', 'x-amz-meta-traceparent'] as const

const lockNames = ({ createOnly: isCreateOnly, checksumSha256, traceparent }: UploadLocks) => {
  const chosen = [
    isCreateOnly && createOnly,
    checksumSha256 !== undefined && checksum,
    traceparent !== undefined && trace,
  ]
  return namesOf(...chosen.filter((name) => name !== false))
}

/** The same headers with their values, but for the length. */
const lockLines = (locks: UploadLocks, host: string): string[] => [
  `content-type:${locks.contentType}\nhost:${host}\n`,
  locks.createOnly ? `${createOnly}:*\n` : '',
  locks.checksumSha256 === undefined ? '' : `${checksum}:${locks.checksumSha256}\n`,
  locks.traceparent === undefined ? '' : `${trace}:${locks.traceparent}\n`,
]
