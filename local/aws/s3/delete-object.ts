import { AwsError, notImplemented } from '../errors.ts'
import { type S3Answer, type S3Call, xmlAnswer } from './answer.ts'
import type { Buckets } from './buckets.ts'
import { noSuchVersion } from './errors.ts'
import type { Objects, Removal, Removed } from './objects.ts'
import { checkVersioned, describeVersion, isVersionId, nullVersion } from './version-ids.ts'
import type { Versioning } from './versioning.ts'
import { childrenOf, element, malformed, parseXml, textOf, type Xml, xmlDocument, type XmlElement } from './xml.ts'

const maxKeys = 1000

/** DeleteObject: 204 also when there is nothing to delete, unless If-Match asks for it. */
export const deleteObject =
  ({ buckets, objects }: { buckets: Buckets; objects: Objects }) =>
  async ({ request, requestId, bucket, key, version }: S3Call): Promise<S3Answer> => {
    checkVersioned(buckets.get(bucket).versioning, version)
    const removal = { key, version, ifMatch: request.headers.get('if-match') }
    const [removed] = await objects.remove(bucket, [removal], { sourceIp: request.sourceIp, requestId })
    if (removed instanceof AwsError) throw removed
    const marker = removed?.marker && { 'x-amz-delete-marker': 'true' }
    return { status: 204, headers: { ...describeVersion(removed ?? {}), ...marker } }
  }

/** DeleteObjects: up to a thousand entries, each with an outcome of its own. */
export const deleteObjects =
  ({ buckets, objects }: { buckets: Buckets; objects: Objects }) =>
  async ({ request, requestId, bucket, readText }: S3Call): Promise<S3Answer> => {
    const { versioning } = buckets.get(bucket)
    checkDigest([...request.headers.keys()])
    const root = parseXml(await readText(), 'Delete')
    const removals = readRemovals(root)
    const named = removals.filter((removal) => isNameable(removal, versioning))
    const removed = await objects.remove(bucket, named, { sourceIp: request.sourceIp, requestId })
    const outcomes = new Map(named.map((removal, index) => [removal, removed[index]]))
    const isQuiet = textOf(root, 'Quiet') === 'true'
    const described = removals.map((removal) =>
      describeOutcome(removal, outcomes.get(removal) ?? noSuchVersion(removal.key, removal.version ?? ''), isQuiet),
    )
    return xmlAnswer(xmlDocument('DeleteResult', described.flat()))
  }

const checkDigest = (headers: readonly string[]): void => {
  if (!headers.some((name) => name === 'content-md5' || /^x-amz-checksum-(?!mode)/.test(name)))
    throw new AwsError(
      'InvalidRequest',
      400,
      'Missing required header for this request: Content-MD5 OR x-amz-checksum-*',
    )
}

const readRemovals = (root: XmlElement): Removal[] => {
  const removals = childrenOf(root, 'Object').map(readRemoval)
  if (removals.length === 0 || removals.length > maxKeys || removals.some(({ key }) => key === '')) throw malformed()
  return removals
}

const readRemoval = (entry: XmlElement): Removal => {
  const other = entry.children.find(({ name }) => !['Key', 'VersionId', 'ETag'].includes(name))
  if (other) throw notImplemented(`${other.name} in a batch of deletes`)
  return { key: textOf(entry, 'Key') ?? '', version: textOf(entry, 'VersionId'), ifMatch: textOf(entry, 'ETag') }
}

const isNameable = ({ version }: Removal, versioning: Versioning): boolean =>
  version === undefined || version === nullVersion || (versioning !== undefined && isVersionId(version))

const describeOutcome = ({ key, version }: Removal, outcome: Removed | AwsError, isQuiet: boolean): Xml[] => {
  const named = [element('Key', key), ...(version === undefined ? [] : [element('VersionId', version)])]
  if (outcome instanceof AwsError)
    return [element('Error', [...named, element('Code', outcome.code), element('Message', outcome.message)])]
  const marker = outcome.marker
    ? [element('DeleteMarker', true), element('DeleteMarkerVersionId', outcome.version ?? '')]
    : []
  return isQuiet ? [] : [element('Deleted', [...named, ...marker])]
}
