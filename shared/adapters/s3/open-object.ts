import { Readable } from 'node:stream'

import { GetObjectCommand, HeadObjectCommand, type S3Client } from '@aws-sdk/client-s3'

import { given } from '#shared/domain/given.ts'

import { awsFailure, statusOf } from '../aws/failures.ts'

/** An object that is open for reading: `read` is called once, or `close` instead. */
export type OpenObject = {
  size: number
  /** Quoted. */
  etag: string
  headers: Readonly<Record<string, string>>
  modifiedMs: number
  /** Both ends count. Fails while being read when the object is replaced meanwhile. */
  read: (range?: { start: number; end: number }) => Readable
  close: () => Promise<void>
}

/**
 * Opens objects of one bucket for reading whole or in part; what is not there, be it the bucket, is undefined.
 * @throws OutageError, RefusalError
 */
export const openObjects =
  ({ client, bucket }: { client: S3Client; bucket: string }) =>
  async (key: string): Promise<OpenObject | undefined> => {
    try {
      const place = { Bucket: bucket, Key: key }
      const { ETag, ContentLength = 0, ContentType, LastModified } = await client.send(new HeadObjectCommand(place))
      const state = { ...place, ...given({ IfMatch: ETag }) }
      return {
        size: ContentLength,
        etag: ETag ?? '',
        headers: given({ 'content-type': ContentType }),
        modifiedMs: LastModified?.getTime() ?? 0,
        read: (range) => Readable.from(readBody(client, state, range)),
        close: () => Promise.resolve(),
      }
    } catch (error) {
      if (statusOf(error) === 404) return undefined
      throw awsFailure('S3', `asking for ${key} in ${bucket}`, error)
    }
  }

const readBody = async function* (
  client: S3Client,
  state: { Bucket: string; Key: string; IfMatch?: string },
  range: { start: number; end: number } | undefined,
): AsyncGenerator<Uint8Array> {
  const Range = range && `bytes=${range.start}-${range.end}`
  const { Body } = await client.send(new GetObjectCommand({ ...state, ...given({ Range }) }))
  // On Node the SDK's body is a readable stream of its bytes.
  if (Body) yield* Body as Readable
}
