import type { Blobs } from '../blobs.ts'
import type { Database } from '../database.ts'
import { notImplemented } from '../errors.ts'
import type { AwsRequest } from '../http.ts'
import type { Sqs } from '../sqs/service.ts'
import type { S3Answer, S3Call } from './answer.ts'
import { openBucketCalls } from './bucket-calls.ts'
import type { Buckets } from './buckets.ts'
import { deleteObject, deleteObjects } from './delete-object.ts'
import { headerNotImplemented } from './errors.ts'
import { getObject, headObject } from './get-object.ts'
import { listObjects } from './list-objects.ts'
import { listVersions } from './list-versions.ts'
import type { Objects } from './objects.ts'
import { putObject } from './put-object.ts'

export type S3Stores = { database: Database; blobs: Blobs; buckets: Buckets; objects: Objects; sqs: Sqs }
type Level = 'service' | 'bucket' | 'object'
export type Operation = {
  level: Level
  method: string
  /** The query parameter that tells this call from others of the same method. */
  marker?: string
  /** The other query parameters that it takes. */
  params?: readonly string[]
  run: (call: S3Call) => S3Answer | Promise<S3Answer>
}

const listParams = ['prefix', 'delimiter', 'max-keys', 'encoding-type']

/** Every call that is built; a parameter that is not named here is refused, never ignored. */
export const openOperations = (stores: S3Stores, region: string, now: () => number): readonly Operation[] => {
  const bucket = openBucketCalls(stores, region, now)
  const onBucket = (
    method: string,
    marker: string,
    run: Operation['run'],
    params: readonly string[] = [],
  ): Operation => ({
    level: 'bucket',
    method,
    run,
    params,
    ...(marker && { marker }),
  })
  return [
    { level: 'service', method: 'GET', run: bucket.listBuckets },
    onBucket('PUT', '', bucket.createBucket),
    onBucket('HEAD', '', bucket.headBucket),
    onBucket('DELETE', '', bucket.deleteBucket),
    onBucket('GET', 'location', bucket.getLocation),
    onBucket('GET', 'versioning', bucket.getVersioning),
    onBucket('PUT', 'versioning', bucket.putVersioning),
    onBucket('GET', 'notification', bucket.getNotifications),
    onBucket('PUT', 'notification', bucket.putNotifications),
    onBucket('GET', 'cors', bucket.getCors),
    onBucket('PUT', 'cors', bucket.putCors),
    onBucket('DELETE', 'cors', bucket.deleteCors),
    onBucket('GET', 'lifecycle', bucket.getLifecycle),
    onBucket('PUT', 'lifecycle', bucket.putLifecycle),
    onBucket('DELETE', 'lifecycle', bucket.deleteLifecycle),
    onBucket('GET', 'list-type', listObjects(stores), [
      ...listParams,
      'continuation-token',
      'start-after',
      'fetch-owner',
    ]),
    onBucket('GET', 'versions', listVersions(stores), [...listParams, 'key-marker', 'version-id-marker']),
    onBucket('POST', 'delete', deleteObjects(stores)),
    { level: 'object', method: 'PUT', run: putObject(stores) },
    { level: 'object', method: 'GET', params: ['versionId'], run: getObject(stores) },
    { level: 'object', method: 'HEAD', params: ['versionId'], run: headObject(stores) },
    { level: 'object', method: 'DELETE', params: ['versionId'], run: deleteObject(stores) },
  ]
}

/** @throws AwsError NotImplemented when no operation takes all that the request asks */
export const findOperation = (operations: readonly Operation[], request: AwsRequest, level: Level): Operation => {
  const names = request.query.map(([name]) => name).filter((name) => !isCarriedAlong(name))
  const found = operations.find(
    ({ marker, params = [], ...operation }) =>
      operation.level === level &&
      operation.method === request.method &&
      (marker === undefined || names.includes(marker)) &&
      names.every((name) => name === marker || params.includes(name)),
  )
  if (!found)
    throw notImplemented(
      `${request.method} on ${level === 'service' ? 'the service' : `a ${level}`} with the parameters [${names.join(', ')}]`,
    )
  checkHeaders(request, found)
  return found
}

// Parameters of the signature, and those that the SDK's presigner moves from the headers: S3 ignores a checksum there.
const isCarriedAlong = (name: string): boolean =>
  /^X-Amz-(Algorithm|Credential|Signature|Date|SignedHeaders|Expires|Content-Sha256)$/.test(name) ||
  /^x-amz-(checksum-[\w-]+|sdk-checksum-algorithm|user-agent)$/.test(name) ||
  name === 'x-id'

const knownHeader = /^x-amz-(date|content-sha256|user-agent|sdk-checksum-algorithm|checksum-[\w-]+)$/

const checkHeaders = ({ headers }: AwsRequest, { level, method }: Operation): void => {
  const takesMetadata = level === 'object' && method === 'PUT'
  const unknown = [...headers.keys()].find(
    (name) =>
      name.startsWith('x-amz-') && !knownHeader.test(name) && !(takesMetadata && name.startsWith('x-amz-meta-')),
  )
  if (unknown !== undefined) throw headerNotImplemented(unknown)
}
