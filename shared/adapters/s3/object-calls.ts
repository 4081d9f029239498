import { hash } from 'node:crypto'

import type { S3Client } from '@aws-sdk/client-s3'

import { RefusalError } from '#shared/ports/failures.ts'
import type { NewObject, Pin } from '#shared/ports/object-store.ts'

import type { HttpAnswer } from '../aws/exchange.ts'
import { signedCaller } from '../aws/signed-calls.ts'
import { findBucketTarget } from '../aws/target.ts'
import { encodePath, encodeQuery } from '../aws/uri.ts'
import { quoteEtag } from './object-answer.ts'

export type ReadOptions = { pin?: Pin; signal?: AbortSignal }

export type ObjectCalls = {
  /** The first bytes; more than `maxBytes` are never read. */
  getStart: (key: string, maxBytes: number, options: ReadOptions) => Promise<HttpAnswer>
  head: (key: string, options: ReadOptions) => Promise<HttpAnswer>
  put: (object: NewObject, condition?: Readonly<Record<string, string>>) => Promise<HttpAnswer>
}

const emptyHash = hash('sha256', '')

/** The calls on one bucket's objects that every image needs; they resolve with an answer of 2xx. */
export const openObjectCalls = (client: S3Client, bucket: string): ObjectCalls => {
  const call = signedCaller('S3', client, () => findBucketTarget(client, bucket))

  const read = (method: 'GET' | 'HEAD', key: string, maxBytes: number, { pin, signal }: ReadOptions) =>
    call({
      method,
      path: pathOf(key),
      query: pin?.versionId ? encodeQuery({ versionId: pin.versionId }) : '',
      headers: {
        ...(method === 'GET' ? { range: `bytes=0-${maxBytes - 1}` } : {}),
        // A version is one state already. Some stores tell no etag.
        ...(pin?.etag && !pin.versionId ? { 'if-match': quoteEtag(pin.etag) } : {}),
        'x-amz-content-sha256': emptyHash,
      },
      payloadHash: emptyHash,
      maxBytes,
      signal,
    })

  return {
    getStart: (key, maxBytes, options) => read('GET', key, maxBytes, options),
    head: (key, options) => read('HEAD', key, 0, options),
    put: ({ key, body, contentType }, condition) => {
      const payloadHash = hash('sha256', body)
      const headers = { 'content-type': contentType, ...condition, 'x-amz-content-sha256': payloadHash }
      return call({ method: 'PUT', path: pathOf(key), headers, payloadHash, body, maxBytes: 0 })
    },
  }
}

/** A path without a key is the bucket's own. */
const pathOf = (key: string) => {
  if (key === '') throw new RefusalError('an object needs a key')
  return encodePath(key)
}
