import type { FileHandle } from 'node:fs/promises'
import type { Readable } from 'node:stream'

import { AwsError } from '../errors.ts'
import type { AwsRequest } from '../http.ts'
import type { S3Answer, S3Call } from './answer.ts'
import type { Buckets } from './buckets.ts'
import { isNotModified } from './conditions.ts'
import { methodNotAllowed, noSuchKey, noSuchVersion } from './errors.ts'
import type { Objects } from './objects.ts'
import { describeChecksums } from './put-object.ts'
import { checkVersioned, describeVersion } from './version-ids.ts'
import type { DeleteMarker, StoredObject } from './version-rows.ts'

export type ByteRange = { start: number; end: number }
type Stores = { buckets: Buckets; objects: Objects }
type Wanted = Pick<S3Call, 'bucket' | 'key' | 'version' | 'request'>

/** GetObject: whole, or one range of bytes. */
export const getObject =
  (stores: Stores) =>
  async (call: S3Call): Promise<S3Answer> => {
    const { request, bucket } = call
    const { object, file } = await openFound(stores.objects, bucket, () => findObject(stores, call))
    try {
      const answer = describeAnswer(stores, call, object)
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
  (stores: Stores) =>
  (call: S3Call): S3Answer =>
    describeAnswer(stores, call, findObject(stores, call))

/** @throws AwsError NoSuchBucket, NoSuchKey, NoSuchVersion, MethodNotAllowed for a delete marker that is asked for by name */
const findObject = ({ buckets, objects }: Stores, { bucket, key, version }: Wanted): StoredObject => {
  const { versioning } = buckets.get(bucket)
  checkVersioned(versioning, version)
  const found = objects.find(bucket, key, version)
  if (found?.kind === 'object') return found
  if (version === undefined || versioning === undefined) throw noSuchKey(key, found && describeMarker(found))
  if (!found) throw noSuchVersion(key, version)
  const lastModified = new Date(found.modifiedMs).toUTCString()
  throw methodNotAllowed({ ...describeMarker(found), allow: 'DELETE', 'last-modified': lastModified })
}

const describeMarker = ({ version }: DeleteMarker): Record<string, string> => ({
  ...describeVersion({ version }),
  'x-amz-delete-marker': 'true',
})

/** The bytes may be removed between the row and the file: then the row is read anew. */
const openFound = async (
  objects: Objects,
  bucket: string,
  find: () => StoredObject,
): Promise<{ object: StoredObject; file: FileHandle }> => {
  for (;;) {
    const object = find()
    const file = await objects.open(bucket, object)
    if (file) return { object, file }
  }
}

const describeAnswer = ({ buckets }: Stores, { bucket, request }: Wanted, object: StoredObject): S3Answer => {
  const { headers } = request
  const { etag, size, version } = object
  const isVersioned = buckets.get(bucket).versioning !== undefined
  const described = {
    'accept-ranges': 'bytes',
    etag,
    'last-modified': new Date(object.modifiedMs).toUTCString(),
    ...(isVersioned && describeVersion({ version })),
  }
  if (isNotModified(headers, object)) return { status: 304, headers: described }
  const range = readRange(headers, size)
  if (range) {
    const length = String(range.end - range.start + 1)
    const contentRange = `bytes ${range.start}-${range.end}/${size}`
    return {
      status: 206,
      headers: { ...object.headers, ...described, 'content-length': length, 'content-range': contentRange },
    }
  }
  const checksums = headers.get('x-amz-checksum-mode') === 'ENABLED' ? describeChecksums(object.checksums) : {}
  return { status: 200, headers: { ...object.headers, ...described, ...checksums, 'content-length': String(size) } }
}

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

/** The bytes of one object for a reader in this process. */
export type OpenedObject = StoredObject & {
  /** Reads `range`, or everything; to be called once, or `close` instead. */
  read: (range?: ByteRange) => Readable
  close: () => Promise<void>
}

/** Gives the current version of an object; undefined when there is none. */
export const openObject =
  (objects: Objects) =>
  async (bucket: string, key: string): Promise<OpenedObject | undefined> => {
    for (;;) {
      const object = objects.find(bucket, key)
      if (object?.kind !== 'object') return undefined
      const file = await objects.open(bucket, object)
      if (file) return { ...object, read: (range) => file.createReadStream(range), close: () => file.close() }
    }
  }
