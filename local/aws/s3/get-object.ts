import type { Readable } from 'node:stream'

import { AwsError } from '../errors.ts'
import type { AwsRequest } from '../http.ts'
import type { S3Answer, S3Call } from './answer.ts'
import type { Buckets } from './buckets.ts'
import { noSuchKey, preconditionFailed } from './errors.ts'
import type { Objects, StoredObject } from './objects.ts'
import { describeChecksums } from './put-object.ts'

export type ByteRange = { start: number; end: number }

/** GetObject: whole, or one range of bytes. */
export const getObject =
  ({ buckets, objects }: { buckets: Buckets; objects: Objects }) =>
  async ({ request, bucket, key }: S3Call): Promise<S3Answer> => {
    buckets.get(bucket)
    const opened = await objects.open(bucket, key)
    if (!opened) throw noSuchKey(key)
    const { object, file } = opened
    try {
      const answer = describeAnswer(request.headers, object)
      if (answer.status === 304 || object.size === 0) {
        await file.close()
        return answer
      }
      const { start, end } = readRange(request.headers, object.size) ?? { start: 0, end: object.size - 1 }
      return { ...answer, body: file.createReadStream({ start, end }) }
    } catch (error) {
      await file.close()
      throw error
    }
  }

/** HeadObject: as GetObject answers, without the bytes. */
export const headObject =
  ({ buckets, objects }: { buckets: Buckets; objects: Objects }) =>
  ({ request, bucket, key }: S3Call): S3Answer => {
    buckets.get(bucket)
    const object = objects.find(bucket, key)
    if (!object) throw noSuchKey(key)
    return describeAnswer(request.headers, object)
  }

const describeAnswer = (headers: AwsRequest['headers'], object: StoredObject): S3Answer => {
  const described = {
    'accept-ranges': 'bytes',
    etag: object.etag,
    'last-modified': new Date(object.modifiedMs).toUTCString(),
  }
  if (isNotModified(headers, object)) return { status: 304, headers: described }
  const range = readRange(headers, object.size)
  if (range) {
    const length = String(range.end - range.start + 1)
    const contentRange = `bytes ${range.start}-${range.end}/${object.size}`
    return {
      status: 206,
      headers: { ...object.headers, ...described, 'content-length': length, 'content-range': contentRange },
    }
  }
  const checksums = headers.get('x-amz-checksum-mode') === 'ENABLED' ? describeChecksums(object.checksums) : {}
  return {
    status: 200,
    headers: { ...object.headers, ...described, ...checksums, 'content-length': String(object.size) },
  }
}

/** Source: RFC 9110, section 13.2.2. @throws AwsError PreconditionFailed */
const isNotModified = (headers: AwsRequest['headers'], { etag, modifiedMs }: StoredObject): boolean => {
  const [ifMatch, ifNoneMatch] = [headers.get('if-match'), headers.get('if-none-match')]
  const modifiedSince = (date: string) => Math.floor(modifiedMs / 1000) * 1000 > Date.parse(date)
  const [ifUnmodified, ifModified] = [headers.get('if-unmodified-since'), headers.get('if-modified-since')]
  if (ifMatch !== undefined && !namesEtag(ifMatch, etag)) throw preconditionFailed('If-Match')
  if (ifMatch === undefined && ifUnmodified !== undefined && modifiedSince(ifUnmodified))
    throw preconditionFailed('If-Unmodified-Since')
  if (ifNoneMatch !== undefined) return namesEtag(ifNoneMatch, etag)
  return ifModified !== undefined && !modifiedSince(ifModified)
}

const namesEtag = (condition: string, etag: string): boolean =>
  condition.split(',').some((part) => {
    const name = part.trim().replace(/^W\//, '')
    return name === '*' || name === etag || `"${name}"` === etag
  })

/** Undefined when there is no range, or one that S3 ignores. @throws AwsError InvalidRange (416) */
const readRange = (headers: AwsRequest['headers'], size: number): ByteRange | undefined => {
  const header = headers.get('range')
  const parts = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '')
  const [, first = '', last = ''] = parts ?? []
  if (header === undefined || !parts || (first === '' && last === '')) return undefined
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first)
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1)
  if (start < size) return { start, end }
  throw new AwsError('InvalidRange', 416, 'The requested range is not satisfiable', {
    RangeRequested: header,
    ActualObjectSize: String(size),
  })
}

/** The bytes of one object for a reader in this process; undefined when it is not there. */
export type OpenedObject = StoredObject & {
  /** Reads `range`, or everything; to be called once, or `close` instead. */
  read: (range?: ByteRange) => Readable
  close: () => Promise<void>
}

export const openObject =
  (objects: Objects) =>
  async (bucket: string, key: string): Promise<OpenedObject | undefined> => {
    const opened = await objects.open(bucket, key)
    if (!opened) return undefined
    const { object, file } = opened
    return { ...object, read: (range) => file.createReadStream(range), close: () => file.close() }
  }
