import { ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3'

import { given } from '#shared/domain/given.ts'
import type { ListedObject } from '#shared/domain/reconcile.ts'
import { OutageError } from '#shared/ports/failures.ts'
import { backoff, retrying } from '#shared/runtime/backoff.ts'

import { awsFailure } from '../aws/failures.ts'

/** A listing of millions need not begin anew for one page. */
const attempts = 5
const delayMs = backoff({ baseMs: 200, capMs: 5_000 })

/**
 * All objects whose keys begin with `prefix`, in the store's order, page by page as they are asked for. Ends early when
 * `signal` aborts.
 * @throws OutageError when S3 stays away for some seconds, SetupError, or RefusalError when listing is not allowed
 */
export const listObjects = async function* (
  { client, bucket }: { client: S3Client; bucket: string },
  { prefix, signal }: { prefix: string; signal: AbortSignal },
): AsyncGenerator<ListedObject> {
  // Keys that XML can't hold would else break the whole page.
  const query = { Bucket: bucket, Prefix: prefix, EncodingType: 'url' } as const
  const readPage = async (token: string | undefined) => {
    try {
      return await client.send(new ListObjectsV2Command({ ...query, ...given({ ContinuationToken: token }) }))
    } catch (error) {
      throw awsFailure('S3', `listing ${bucket}`, error)
    }
  }

  for (let token: string | undefined; !signal.aborted;) {
    const isFinal = (error: unknown) => !(error instanceof OutageError)
    const page = await retrying(() => readPage(token), { attempts, delayMs, signal, isFinal })
    for (const { Key = '', ETag = '', Size = 0, LastModified = new Date(0) } of page.Contents ?? []) {
      // Some stores pass over the wish for an encoding, and say so by not naming it.
      const key = page.EncodingType === 'url' ? decodeKey(Key) : Key
      yield { key, etag: ETag.replaceAll('"', ''), size: Size, lastModified: LastModified }
    }
    if (!page.IsTruncated) return
    const next = page.NextContinuationToken
    if (!next || next === token) throw new OutageError('S3', `listing ${bucket}: a page names no next one`)
    token = next
  }
}

/** Keys are bytes to some stores: what is no UTF-8 stays as it was written. */
const decodeKey = (key: string) => {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '))
  } catch {
    return key
  }
}
