import {
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  NoSuchBucket,
  PutObjectCommand,
  type S3Client,
  type _Error as S3Error,
} from '@aws-sdk/client-s3'

import { given } from '#shared/domain/given.ts'
import type { StoredObject } from '#shared/domain/stored-object.ts'
import { OutageError, RefusalError, SetupError } from '#shared/ports/failures.ts'
import type { NewObject, ObjectStart, ObjectStore, Pin } from '#shared/ports/object-store.ts'

import { awsFailure, statusOf } from '../aws/failures.ts'

/** One bucket by the AWS SDK. */
export const s3ObjectStore = ({ client, bucket }: { client: S3Client; bucket: string }): ObjectStore => {
  const failure = (about: string, error: unknown) => awsFailure('S3', `${about} in ${bucket}`, error)

  const readStart: ObjectStore['readStart'] = async (key, maxBytes, options = {}) => {
    const input = { Bucket: bucket, Key: key, Range: `bytes=0-${maxBytes - 1}`, ...pinned(options.pin) }
    try {
      const answer = await client.send(new GetObjectCommand(input), signalOf(options))
      const bytes = (await answer.Body?.transformToByteArray()) ?? new Uint8Array()
      const size = Number(answer.ContentRange?.split('/')[1] ?? answer.ContentLength)
      return { object: describe(key, size, answer), bytes }
    } catch (error) {
      const status = statusOf(error)
      // An empty object has no first byte, so its range can't be satisfied; the answer may lack its etag.
      if (status === 416) return readEmpty(key, maxBytes, options)
      if (isAbsent(error)) return undefined
      throw failure(`reading ${key}`, error)
    }
  }

  const readEmpty = async (key: string, maxBytes: number, options: ReadOptions): Promise<ObjectStart | undefined> => {
    const object = await describeObject(key, options)
    // Something was put in its place meanwhile, and that has bytes.
    if (object && object.size > 0) return readStart(key, maxBytes, options)
    return object && { object, bytes: new Uint8Array() }
  }

  const describeObject = async (key: string, options: ReadOptions): Promise<StoredObject | undefined> => {
    const input = { Bucket: bucket, Key: key, ...pinned(options.pin) }
    try {
      const answer = await client.send(new HeadObjectCommand(input), signalOf(options))
      return describe(key, answer.ContentLength ?? 0, answer)
    } catch (error) {
      if (!isAbsent(error)) throw failure(`asking for ${key}`, error)
      // HEAD answers carry no code: a 404 may also mean the bucket.
      await ping(options.signal)
      return undefined
    }
  }

  const write = ({ key, body, contentType }: NewObject, condition: { IfNoneMatch?: '*' }) =>
    client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body, ContentType: contentType, ...condition }))

  const put = async (object: NewObject) => {
    try {
      await write(object, {})
    } catch (error) {
      throw failure(`writing ${object.key}`, error)
    }
  }

  const create = async (object: NewObject) => {
    try {
      await write(object, { IfNoneMatch: '*' })
      return 'created'
    } catch (error) {
      if (statusOf(error) === 412) return 'exists'
      // Somebody else is creating it at this moment; who repeats the call is told how that ended.
      if (statusOf(error) === 409)
        throw new OutageError('S3', `${object.key} is being written by another`, { cause: error })
      throw failure(`creating ${object.key}`, error)
    }
  }

  const listVersions = async (key: string) => {
    const answer = await client.send(new ListObjectVersionsCommand({ Bucket: bucket, Prefix: key, MaxKeys: 1000 }))
    const all = [...(answer.Versions ?? []), ...(answer.DeleteMarkers ?? [])]
    return all.filter((version) => version.Key === key).map(({ VersionId }) => ({ Key: key, ...given({ VersionId }) }))
  }

  const remove = async (key: string) => {
    try {
      const versions = await listVersions(key)
      if (versions.length === 0) return
      const answer = await client.send(
        new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: versions, Quiet: true } }),
      )
      const [failed] = answer.Errors ?? []
      if (failed) throw keptFailure(key, failed)
    } catch (error) {
      throw error instanceof RefusalError || error instanceof OutageError ? error : failure(`removing ${key}`, error)
    }
  }

  const ping = async (signal?: AbortSignal) => {
    try {
      await client.send(new HeadBucketCommand({ Bucket: bucket }), signalOf(given({ signal })))
    } catch (error) {
      // HEAD answers carry no code, so the status must do.
      const status = statusOf(error)
      if (status === 404) throw new SetupError(`S3 has no bucket ${bucket}: \`npm run provision\` creates it.`)
      if (status === 403) throw new SetupError(`S3 refuses these credentials the bucket ${bucket}.`)
      if (status === 400 || status === 301) {
        throw new SetupError(`S3 answers ${status} for the bucket ${bucket}: is AWS_REGION that of the bucket?`)
      }
      throw failure('asking for the bucket', error)
    }
  }

  return { readStart, head: (key, options = {}) => describeObject(key, options), put, create, remove, ping }
}

/** 412 says that the pinned state is no longer there. A 403 is not read as absence: it may be a missing permission. */
const isAbsent = (error: unknown) => {
  const status = statusOf(error)
  return status === 412 || (status === 404 && !(error instanceof NoSuchBucket))
}

type ReadOptions = { pin?: Pin; signal?: AbortSignal }

/** DeleteObjects answers 200 also when S3 itself failed on an object. */
const keptFailure = (key: string, { Code = '', Message = '' }: S3Error) => {
  const detail = `${key} was kept: ${Code} ${Message}`
  const isOutage = ['InternalError', 'ServiceUnavailable', 'SlowDown'].includes(Code)
  return isOutage ? new OutageError('S3', detail) : new RefusalError(`S3: ${detail}`)
}

const pinned = (pin: Pin = {}) => given({ VersionId: pin.versionId, IfMatch: pin.versionId ? undefined : pin.etag })

const signalOf = ({ signal }: { signal?: AbortSignal }) => given({ abortSignal: signal })

type Answer = {
  ContentType?: string | undefined
  ETag?: string | undefined
  VersionId?: string | undefined
  LastModified?: Date | undefined
  Metadata?: Record<string, string> | undefined
}

const describe = (key: string, size: number, answer: Answer): StoredObject => ({
  key,
  size,
  contentType: answer.ContentType ?? '',
  etag: (answer.ETag ?? '').replaceAll('"', ''),
  ...given({ versionId: answer.VersionId === 'null' ? undefined : answer.VersionId }),
  lastModified: answer.LastModified ?? new Date(0),
  metadata: answer.Metadata ?? {},
})
