import { type S3Answer, type S3Call, xmlAnswer } from './answer.ts'
import type { Buckets } from './buckets.ts'
import { invalidArgument } from './errors.ts'
import {
  describeObject,
  describePrefixes,
  describeQuery,
  type ListQuery,
  optional,
  owner,
  readQuery,
} from './listing.ts'
import type { Objects } from './objects.ts'
import { placeOf, readPage } from './pages.ts'
import { isVersionId, nullVersion, sequenceOf } from './version-ids.ts'
import { anySequence, type ListedVersion } from './version-rows.ts'
import { element, type Xml, xmlDocument } from './xml.ts'

/** ListObjectVersions: versions and delete markers in one order, those of a key newest first. */
export const listVersions =
  ({ buckets, objects }: { buckets: Buckets; objects: Objects }) =>
  ({ bucket, param }: S3Call): S3Answer => {
    buckets.get(bucket)
    const query = readQuery(param)
    const { encode } = query
    const keyMarker = param('key-marker') ?? ''
    const marker = readVersionMarker(param, keyMarker)
    const below = marker === undefined ? undefined : markedSequence(objects, bucket, keyMarker, marker)
    const rows = objects.iterate(bucket, placeOf(query.prefix, keyMarker, below))
    const page = readPage(rows, { ...query, after: keyMarker })
    return xmlAnswer(
      xmlDocument('ListVersionsResult', [
        ...describeQuery(bucket, query),
        element('KeyMarker', encode(keyMarker)),
        element('VersionIdMarker', marker ?? ''),
        element('IsTruncated', page.next !== undefined),
        ...optional('NextKeyMarker', page.next && encode(page.next)),
        ...optional('NextVersionIdMarker', page.last?.version),
        ...page.entries.map((version) => describeVersion(version, encode)),
        ...describePrefixes(page.commonPrefixes, encode),
      ]),
    )
  }

const readVersionMarker = (param: S3Call['param'], keyMarker: string): string | undefined => {
  const marker = param('version-id-marker')
  if (marker === undefined) return undefined
  const refuse = (message: string) => invalidArgument(message, 'version-id-marker', marker)
  if (marker === '') throw refuse('A version-id marker cannot be empty.')
  if (keyMarker === '') throw refuse('A version-id marker cannot be specified without a key marker.')
  if (!isVersionId(marker)) throw refuse('Invalid version id specified')
  return marker
}

/** The null version alone does not tell its place: when it is gone, its key is told anew rather than cut short. */
const markedSequence = (objects: Objects, bucket: string, key: string, marker: string): number =>
  marker === nullVersion ? (objects.find(bucket, key, marker)?.sequence ?? anySequence) : sequenceOf(marker)

const describeVersion = (stored: ListedVersion, encode: ListQuery['encode']): Xml => {
  const place = [element('VersionId', stored.version), element('IsLatest', stored.isLatest)]
  if (stored.kind === 'object') return element('Version', [...describeObject(stored, encode, true), ...place])
  const lastModified = element('LastModified', new Date(stored.modifiedMs).toISOString())
  return element('DeleteMarker', [element('Key', encode(stored.key)), ...place, lastModified, owner])
}
