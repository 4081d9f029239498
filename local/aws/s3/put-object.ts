import type { Blobs } from '../blobs.ts'
import { AwsError, notImplemented } from '../errors.ts'
import type { AwsRequest } from '../http.ts'
import type { S3Answer, S3Call } from './answer.ts'
import type { Buckets } from './buckets.ts'
import { openBodyCheck } from './checksums.ts'
import { headerNotImplemented } from './errors.ts'
import type { NewObject, Objects } from './objects.ts'
import { describeVersion } from './version-ids.ts'

const keptHeaders = ['cache-control', 'content-disposition', 'content-encoding', 'content-language', 'expires']
const metadataPrefix = 'x-amz-meta-'
const maxMetadataBytes = 2048
const maxKeyBytes = 1024
const maxBytes = 5 * 1024 ** 3

/** PutObject: the body goes to disk as it comes; the object and its notifications are there all at once or not at all. */
export const putObject =
  ({ blobs, buckets, objects }: { blobs: Blobs; buckets: Buckets; objects: Objects }) =>
  async ({ request, requestId, bucket, key, payloadHash }: S3Call): Promise<S3Answer> => {
    checkKey(key)
    checkLength(request)
    const condition = readCondition(request.headers)
    const headers = readKeptHeaders(request.headers)
    const check = openBodyCheck(request, payloadHash)
    buckets.get(bucket)
    const blob = await blobs.stage(request.body, check.update)
    const etag = await orDiscard(blobs, blob.name, () => check.finish().etag)
    const { checksums } = check
    const stored = await objects.put({ bucket, key, etag, headers, checksums, ...condition }, blob, {
      sourceIp: request.sourceIp,
      requestId,
    })
    return { status: 200, headers: { etag, ...describeVersion(stored), ...describeChecksums(checksums) } }
  }

/** The checksum headers of an answer about a whole object. */
export const describeChecksums = (checksums: Readonly<Record<string, string>>): Record<string, string> =>
  Object.keys(checksums).length === 0 ? {} : { ...checksums, 'x-amz-checksum-type': 'FULL_OBJECT' }

const orDiscard = async <T>(blobs: Blobs, name: string, work: () => T): Promise<T> => {
  try {
    return work()
  } catch (error) {
    await blobs.discard(name)
    throw error
  }
}

const checkKey = (key: string): void => {
  const size = Buffer.byteLength(key)
  if (size > maxKeyBytes)
    throw new AwsError('KeyTooLongError', 400, 'Your key is too long', {
      Size: String(size),
      MaxSizeAllowed: String(maxKeyBytes),
    })
}

const checkLength = ({ headers }: AwsRequest): void => {
  const length = headers.get('content-length') ?? ''
  if (Number(length) > maxBytes)
    throw new AwsError('EntityTooLarge', 400, 'Your proposed upload exceeds the maximum allowed size', {
      ProposedSize: length,
    })
}

/** S3 takes one etag for If-Match, and for If-None-Match nothing but the star. */
const readCondition = (headers: AwsRequest['headers']): Pick<NewObject, 'createOnly' | 'ifMatch'> => {
  const [ifMatch, ifNoneMatch] = [headers.get('if-match'), headers.get('if-none-match')]
  if (ifNoneMatch !== undefined && ifNoneMatch !== '*') throw headerNotImplemented('If-None-Match')
  if (ifMatch === '*' || (ifMatch !== undefined && ifNoneMatch !== undefined)) throw headerNotImplemented('If-Match')
  return { createOnly: ifNoneMatch === '*', ifMatch }
}

const readKeptHeaders = (headers: AwsRequest['headers']): Record<string, string> => {
  const metadata = [...headers].filter(([name]) => name.startsWith(metadataPrefix))
  const metadataBytes = metadata.reduce(
    (sum, [name, value]) => sum + name.length - metadataPrefix.length + value.length,
    0,
  )
  if (metadataBytes > maxMetadataBytes)
    throw new AwsError('MetadataTooLarge', 400, 'Your metadata headers exceed the maximum allowed metadata size')
  if (headers.get('content-encoding')?.includes('aws-chunked')) throw notImplemented('the aws-chunked content encoding')
  const contentType = headers.get('content-type') ?? 'binary/octet-stream'
  return {
    'content-type': contentType,
    ...Object.fromEntries([...headers].filter(([name]) => keptHeaders.includes(name))),
    ...Object.fromEntries(metadata),
  }
}
