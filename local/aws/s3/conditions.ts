import type { AwsRequest } from '../http.ts'
import { noSuchKey, preconditionFailed } from './errors.ts'
import type { StoredObject, StoredVersion } from './version-rows.ts'

/** Source: RFC 9110, section 13.2.2. @throws AwsError PreconditionFailed */
export const isNotModified = (headers: AwsRequest['headers'], { etag, modifiedMs }: StoredObject): boolean => {
  const [ifMatch, ifNoneMatch] = [headers.get('if-match'), headers.get('if-none-match')]
  const modifiedSince = (date: string) => Math.floor(modifiedMs / 1000) * 1000 > Date.parse(date)
  const [ifUnmodified, ifModified] = [headers.get('if-unmodified-since'), headers.get('if-modified-since')]
  if (ifMatch !== undefined && !namesEtag(ifMatch, etag)) throw preconditionFailed('If-Match')
  if (ifMatch === undefined && ifUnmodified !== undefined && modifiedSince(ifUnmodified))
    throw preconditionFailed('If-Unmodified-Since')
  if (ifNoneMatch !== undefined) return namesEtag(ifNoneMatch, etag)
  return ifModified !== undefined && !modifiedSince(ifModified)
}

/**
 * May it be deleted or replaced on this condition? Only the current version is ever judged, and a delete marker is no object.
 * Source: Amazon S3 User Guide, "How to perform conditional deletes" and "How to prevent object overwrites with conditional
 * writes".
 * @throws AwsError NoSuchKey, PreconditionFailed
 */
export const checkMatch = (current: StoredVersion | undefined, key: string, ifMatch: string | undefined): void => {
  if (ifMatch === undefined) return
  if (current?.kind !== 'object') throw noSuchKey(key)
  if (!namesEtag(ifMatch, current.etag)) throw preconditionFailed('If-Match')
}

const namesEtag = (condition: string, etag: string): boolean =>
  condition.split(',').some((part) => {
    const name = part.trim().replace(/^W\//, '')
    return name === '*' || name === etag || `"${name}"` === etag
  })
