import type { S3Client } from '@aws-sdk/client-s3'
import type { SQSClient } from '@aws-sdk/client-sqs'

import { CredentialsError, RefusalError } from '#shared/ports/failures.ts'
import { retrying } from '#shared/runtime/backoff.ts'

import { AnswerError } from './answer-error.ts'
import { findSkew, isPassing, retryDelayMs } from './attempts.ts'
import { silenceMs } from './clients.ts'
import { connectionsOf } from './connections.ts'
import type { AwsCredentials } from './credentials.ts'
import { exchange, type HttpAnswer, type HttpRequest } from './exchange.ts'
import { signHeaders } from './header-signature.ts'
import type { Target } from './target.ts'

export type SignedCall = {
  method: HttpRequest['method']
  /** Encoded; appended to the target's path. */
  path?: string
  /** As `encodeQuery` makes it. */
  query?: string
  /** By lower-case names; all are signed. */
  headers: Readonly<Record<string, string>>
  /** SHA-256 of the body in hex. */
  payloadHash: string
  body?: string
  maxBytes: number
  signal?: AbortSignal | undefined
}

/** Resolves with an answer of 2xx. @throws AnswerError with any other, else what kept the service from answering */
export type SignedCaller = (call: SignedCall) => Promise<HttpAnswer>

/** Longest time of one answer: 1 MiB needs 17 KB/s, and a long poll takes 20 s. */
const limitMs = 60_000

/**
 * For calls that are made too often for the SDK, at a tenth of its CPU time: signed here and sent over connections of
 * their own. Endpoint, credentials and their renewal, the clock's correction and the number of attempts are the client's.
 */
export const signedCaller = (
  service: 'S3' | 'SQS',
  client: S3Client | SQSClient,
  findTarget: () => Promise<Target>,
): SignedCaller => {
  const { config } = client
  const connections = connectionsOf(client)
  const findPlace = remember(findTarget)
  const findCredentials = keepLasting(service, () => config.credentials)

  return async (call) => {
    checkHeaders(call.headers)
    const credentials = await findCredentials(Date.now())
    const place = await findPlace()
    const bounds = { maxBytes: call.maxBytes, silenceMs: silenceMs[service], limitMs }
    // Taken once: a repeat after the client's end would go out over new ones.
    const dispatcher = connections()
    let offsetMs = config.systemClockOffset

    const send = async () => {
      const request = writeRequest(call, place, credentials, new Date(Date.now() + offsetMs))
      const answer = await exchange(dispatcher, request, bounds, call.signal)
      if (answer.status < 200 || answer.status > 299) throw new AnswerError(answer)
      return answer
    }
    const isFinal = (error: unknown) => {
      if (call.signal?.aborted) return true
      const skewMs = findSkew(error, offsetMs, Date.now())
      if (skewMs === undefined) return !isPassing(error)
      config.systemClockOffset = offsetMs = skewMs
      return false
    }
    return retrying(send, { attempts: await config.maxAttempts(), delayMs: retryDelayMs, isFinal })
  }
}

/** A failure is not remembered: credentials may come later. */
const remember = <T>(find: () => Promise<T>): (() => Promise<T>) => {
  let found: Promise<T> | undefined
  return () =>
    (found ??= find().catch((error: unknown) => {
      found = undefined
      throw error
    }))
}

/** The SDK asks for fresh ones in their last five minutes. */
const renewAheadMs = 300_000

/** The SDK keeps credentials too, and passes them through four promises at every call: half the price of a signature. */
const keepLasting = (service: 'S3' | 'SQS', provider: () => () => Promise<AwsCredentials>) => {
  let held: { by: unknown; credentials: AwsCredentials } | undefined
  return (nowMs: number): AwsCredentials | Promise<AwsCredentials> => {
    const provide = provider()
    if (held?.by === provide && lasts(held.credentials, nowMs)) return held.credentials
    return provide().then(
      (credentials) => {
        held = { by: provide, credentials }
        return credentials
      },
      (cause: unknown) => {
        // A source of credentials fails in ways of its own, such as a 403 of STS, which is none of this service's.
        throw new CredentialsError(service, 'there are no credentials to sign with', { cause })
      },
    )
  }
}

const lasts = ({ expiration }: AwsCredentials, nowMs: number) =>
  expiration === undefined || expiration.getTime() - nowMs > renewAheadMs

const checkHeaders = (headers: SignedCall['headers']) => {
  for (const name in headers) {
    if (/[^\t\x20-\x7e\x80-\xff]/.test(headers[name] ?? '')) {
      throw new RefusalError(`the header ${name} can't hold ${JSON.stringify(headers[name])}`)
    }
  }
}

const writeRequest = (
  { method, path = '', query = '', headers, payloadHash, body }: SignedCall,
  target: Target,
  credentials: AwsCredentials,
  now: Date,
): HttpRequest => {
  const unsigned = {
    method,
    canonicalPath: target.canonicalPath + path,
    query,
    headers: { ...headers, host: target.host },
    payloadHash,
  }
  const signed = signHeaders(unsigned, target, credentials, now)
  signed['user-agent'] = 'image-intake'
  const request = { origin: target.origin, path: target.path + path + (query && `?${query}`), method, headers: signed }
  return body === undefined ? request : { ...request, body }
}
