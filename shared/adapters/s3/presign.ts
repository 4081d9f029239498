import { hash } from 'node:crypto'

import type { UploadLocks } from '#shared/ports/object-store.ts'

import type { AwsCredentials } from '../aws/credentials.ts'
import { openHmac, type Sign } from '../aws/hmac.ts'
import { signingKey } from '../aws/signing-key.ts'

/** Where keys begin: scheme and host, and the path before a key (`/`, or `/bucket/`), percent-encoded. */
export type UploadBase = { origin: string; host: string; pathPrefix: string }

/** What all URLs of a day share, under the same credentials. */
type Day = {
  date: string
  credentials: AwsCredentials
  sign: Sign
  /** `20260101/eu-central-1/s3/aws4_request` */
  scope: string
  /** The query up to the time, and what follows the time after its expiry. */
  credential: string
  token: string
}

/**
 * Presigns PUTs by Signature Version 4 in the query; the day's key is made once.
 * Source: Amazon S3 API Reference, "Authenticating Requests: Using Query Parameters". What is enforced is what stands in
 * X-Amz-SignedHeaders.
 * @returns the URL under which exactly these locks may be uploaded, byte for byte as the AWS SDK's presigner writes it
 */
export const presigner = (region: string, { origin, host, pathPrefix }: UploadBase) => {
  let day: Day | undefined
  return (credentials: AwsCredentials, locks: UploadLocks, expiresInSeconds: number, now: Date): string => {
    const timestamp = amzTimestamp(now)
    if (day?.credentials !== credentials || !timestamp.startsWith(day.date)) {
      day = openDay(region, credentials, timestamp.slice(0, 8))
    }
    const names = lockNames(locks)
    const path = pathPrefix + encodePath(locks.key)
    const before = `${day.credential}${timestamp}&X-Amz-Expires=${expiresInSeconds}${day.token}`
    const after = `&X-Amz-SignedHeaders=${names.encoded}&x-id=PutObject`
    const canonical = `PUT\n${path}\n${before}${after}\n${lockLines(locks, host)}\n${names.plain}\nUNSIGNED-PAYLOAD`
    const signature = day.sign(`AWS4-HMAC-SHA256\n${timestamp}\n${day.scope}\n${hash('sha256', canonical)}`)
    return `${origin}${path}?${before}&X-Amz-Signature=${signature}${after}`
  }
}

const openDay = (region: string, credentials: AwsCredentials, date: string): Day => {
  const { accessKeyId, secretAccessKey, sessionToken } = credentials
  const scope = `${date}/${region}/s3/aws4_request`
  const sign = openHmac(signingKey(secretAccessKey, date, region, 's3'))
  const credential =
    'X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD' +
    `&X-Amz-Credential=${encodeStrict(`${accessKeyId}/${scope}`)}&X-Amz-Date=`
  const token = sessionToken === undefined ? '' : `&X-Amz-Security-Token=${encodeStrict(sessionToken)}`
  return { date, credentials, sign, scope, credential, token }
}

/** The names of the headers that a signature locks, in their order, as the two places of a URL's making want them. */
const namesOf = (...optional: string[]) => {
  const plain = ['content-length', 'content-type', 'host', ...optional].join(';')
  return { plain, encoded: plain.replaceAll(';', '%3B') }
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

let lastSecond = Number.NaN
let lastTimestamp = ''

/** yyyymmddThhmmssZ; written once a second. */
const amzTimestamp = (now: Date) => {
  const second = Math.floor(now.getTime() / 1000)
  if (second === lastSecond) return lastTimestamp
  lastSecond = second
  return (lastTimestamp = `${now.toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`)
}

const needsNoEncoding = /^[\w/.~-]*$/

/** S3 signs a path as it stands, each segment percent-encoded once. */
const encodePath = (key: string) => (needsNoEncoding.test(key) ? key : key.split('/').map(encodeStrict).join('/'))

/** RFC 3986: all but unreserved characters become %XX. */
const encodeStrict = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
