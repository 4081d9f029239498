import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  HeadBucketCommand,
  ListObjectVersionsCommand,
  type S3Client,
  type _Error as S3Error,
} from '@aws-sdk/client-s3'

import { given } from '#shared/domain/given.ts'
import type { StoredObject } from '#shared/domain/stored-object.ts'
import { OutageError, RefusalError, SetupError } from '#shared/ports/failures.ts'
import type { NewObject, ObjectStart, ObjectStore, VersionPin } from '#shared/ports/object-store.ts'
import { backoff, retrying } from '#shared/runtime/backoff.ts'

import { AnswerError } from '../aws/answer-error.ts'
import { awsFailure, statusOf } from '../aws/failures.ts'
import { describeObject, quoteEtag, readLength, readSize } from './object-answer.ts'
import { openObjectCalls, type ReadOptions } from './object-calls.ts'

/** S3 answers 409 while somebody else writes the same object; that lasts no longer than one PUT. */
const contention = { attempts: 5, delayMs: backoff({ baseMs: 50, capMs: 400 }) }

/** One bucket: what every image needs is signed here and sent by undici, the rest is the AWS SDK's. */
export const s3ObjectStore = ({ client, bucket }: { client: S3Client; bucket: string }): ObjectStore => {
  const calls = openObjectCalls(client, bucket)
  const failure = (about: string, error: unknown) => awsFailure('S3', `${about} in ${bucket}`, error)

  const readStart = async (key: string, maxBytes: number, options: ReadOptions = {}, looks = 2) => {
    try {
      const answer = await calls.getStart(key, maxBytes, options)
      return { object: describeObject(key, readSize(answer, maxBytes), answer), bytes: answer.body }
    } catch (error) {
      // An empty object has no first byte, so its range can't be satisfied; the answer tells neither type nor etag.
      if (statusOf(error) === 416) return readEmpty(key, maxBytes, options, looks)
      if (await isAbsent(error, options)) return undefined
      throw failure(`reading ${key}`, error)
    }
  }

  const readEmpty = async (
    key: string,
    maxBytes: number,
    options: ReadOptions,
    looks: number,
  ): Promise<ObjectStart | undefined> => {
    const object = await head(key, options)
    if (!object || object.size === 0) return object && { object, bytes: new Uint8Array() }
    // Something was put in its place meanwhile, and that has bytes.
    if (looks > 1) return readStart(key, maxBytes, options, looks - 1)
    throw new RefusalError(`S3: ${key} has ${object.size} bytes, but none of them is given`)
  }

  const head = async (key: string, options: ReadOptions = {}): Promise<StoredObject | undefined> => {
    try {
      const answer = await calls.head(key, options)
      return describeObject(key, readLength(answer), answer)
    } catch (error) {
      if (await isAbsent(error, options)) return undefined
      throw failure(`asking for ${key}`, error)
    }
  }

  /**
   * 412 says that the pinned state is no longer there, 405 that the pinned version is a delete marker. A 404 without a
   * code, as HEAD's are, may also mean the bucket. A 403 is not read as absence: it may be a missing permission.
   */
  const isAbsent = async (error: unknown, { signal }: ReadOptions) => {
    const status = statusOf(error)
    if (status === 405) return error instanceof AnswerError && error.isDeleteMarker
    if (status !== 404 || isNamed(error, 'NoSuchBucket')) return status === 412
    if (!isNamed(error, 'NoSuchKey', 'NoSuchVersion')) await ping(signal)
    return true
  }

  const put = async (object: NewObject) => {
    try {
      await calls.put(object)
    } catch (error) {
      throw failure(`writing ${object.key}`, error)
    }
  }

  const create = async (object: NewObject) => {
    const work = () => calls.put(object, { 'if-none-match': '*' })
    try {
      await retrying(work, { ...contention, isFinal: (error) => statusOf(error) !== 409 })
      return 'created'
    } catch (error) {
      if (statusOf(error) === 412) return 'exists'
      throw conditionFailure(failure(`creating ${object.key}`, error), statusOf(error))
    }
  }

  const replace = async (object: NewObject, etag: string): Promise<'replaced' | 'changed'> => {
    try {
      await calls.put(object, { 'if-match': quoteEtag(etag) })
      return 'replaced'
    } catch (error) {
      if (statusOf(error) === 501) return put(object).then(() => 'replaced')
      if (await isAbsent(error, {})) return 'changed'
      // Somebody else writes it at this moment, so it is about to change.
      if (statusOf(error) === 409) return 'changed'
      throw failure(`replacing ${object.key}`, error)
    }
  }

  const listVersions = async (key: string, options: SendOptions) => {
    const command = new ListObjectVersionsCommand({ Bucket: bucket, Prefix: key, MaxKeys: 1000 })
    const answer = await client.send(command, options)
    const all = [...(answer.Versions ?? []), ...(answer.DeleteMarkers ?? [])]
    const versions = all
      .filter((version) => version.Key === key)
      .map(({ VersionId }) => ({ Key: key, ...given({ VersionId }) }))
    return { versions, isWhole: answer.IsTruncated !== true }
  }

  const remove: ObjectStore['remove'] = async (key, { signal } = {}) => {
    const options = given({ abortSignal: signal })
    try {
      // A page holds a thousand versions: what is behind it shows when that is gone.
      for (let isLast = false; !isLast;) {
        const { versions, isWhole } = await listVersions(key, options)
        if (versions.length === 0) return
        const Delete = { Objects: versions, Quiet: true }
        const answer = await client.send(new DeleteObjectsCommand({ Bucket: bucket, Delete }), options)
        const [failed] = answer.Errors ?? []
        if (failed) throw keptFailure(key, failed)
        isLast = isWhole
      }
    } catch (error) {
      throw failure(`removing ${key}`, error)
    }
  }

  const removeVersion = async (key: string, pin: VersionPin) => {
    // A condition that is left out would make it a delete of whatever is there.
    const only = 'versionId' in pin ? { VersionId: pin.versionId } : { IfMatch: quoteEtag(pin.etag) }
    try {
      await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key, ...only }))
    } catch (error) {
      if (await isAbsent(error, {})) return
      throw conditionFailure(failure(`removing one state of ${key}`, error), statusOf(error))
    }
  }

  const ping = async (signal?: AbortSignal) => {
    try {
      await client.send(new HeadBucketCommand({ Bucket: bucket }), given({ abortSignal: signal }))
    } catch (error) {
      // HEAD answers carry no code, so the status must do.
      const status = statusOf(error)
      if (status === 404) throw new SetupError(`S3 has no bucket ${bucket}: \`npm run provision\` creates it.`)
      if (status === 403) throw new SetupError(`S3 refuses these credentials the bucket ${bucket}.`)
      if (status === 400 || status === 301) {
        // Of a session that has ended, or is not the keys' own, S3 says 400 too.
        const token = status === 400 ? ', and does the session token (AWS_SESSION_TOKEN) belong to the keys' : ''
        throw new SetupError(`S3 answers ${status} for the bucket ${bucket}: is AWS_REGION that of the bucket${token}?`)
      }
      throw failure('asking for the bucket', error)
    }
  }

  return {
    readStart: (key, maxBytes, options) => readStart(key, maxBytes, options),
    head,
    put,
    create,
    replace,
    remove,
    removeVersion,
    ping,
  }
}

type SendOptions = { abortSignal?: AbortSignal }

const isNamed = (error: unknown, ...names: string[]) => error instanceof Error && names.includes(error.name)

/** 409: somebody writes the object at this moment, a repeat tells how that ended. 501: the store knows no such condition. */
const conditionFailure = (error: Error, status: number | undefined) => {
  if (status === 409) return new OutageError('S3', error.message, { cause: error })
  return status === 501 ? new RefusalError(error.message, { cause: error }) : error
}

/** DeleteObjects answers 200 also when S3 itself failed on an object. */
const keptFailure = (key: string, { Code = '', Message = '' }: S3Error) => {
  const detail = `${key} was kept: ${Code} ${Message}`
  const isOutage = ['InternalError', 'ServiceUnavailable', 'SlowDown'].includes(Code)
  return isOutage ? new OutageError('S3', detail) : new RefusalError(`S3: ${detail}`)
}
