import { type S3Answer, type S3Call, xmlAnswer } from './answer.ts'
import type { Buckets } from './buckets.ts'
import { invalidArgument } from './errors.ts'
import type { Objects, StoredObject } from './objects.ts'
import { element, type Xml, xmlDocument } from './xml.ts'

type Page = { objects: StoredObject[]; commonPrefixes: string[]; next: string | undefined }
type Query = { prefix: string; delimiter: string; maxKeys: number; after: string }

/** ListObjectsV2. */
export const listObjects =
  ({ buckets, objects }: { buckets: Buckets; objects: Objects }) =>
  ({ bucket, param }: S3Call): S3Answer => {
    buckets.get(bucket)
    if (param('list-type') !== '2')
      throw invalidArgument('Invalid List Type specified in Request', 'list-type', param('list-type') ?? '')
    const token = param('continuation-token')
    const startAfter = param('start-after')
    const query = readQuery(param, token === undefined ? (startAfter ?? '') : decodeToken(token))
    const page = readPage(objects.iterate(bucket, greater(query.prefix, query.after)), query)
    const encode = readEncoding(param)
    return xmlAnswer(
      xmlDocument('ListBucketResult', [
        ...describeQuery(bucket, query, encode),
        element('KeyCount', page.objects.length + page.commonPrefixes.length),
        element('IsTruncated', page.next !== undefined),
        ...optional('EncodingType', param('encoding-type')),
        ...optional('StartAfter', startAfter && encode(startAfter)),
        ...optional('ContinuationToken', token),
        ...optional('NextContinuationToken', page.next && encodeToken(page.next)),
        ...page.objects.map((object) => element('Contents', describeObject(object, encode))),
        ...describePrefixes(page, encode),
      ]),
    )
  }

/** ListObjectVersions of a bucket without versioning: every object is its own version `null`. */
export const listVersions =
  ({ buckets, objects }: { buckets: Buckets; objects: Objects }) =>
  ({ bucket, param }: S3Call): S3Answer => {
    buckets.get(bucket)
    const query = readQuery(param, param('key-marker') ?? '')
    const page = readPage(objects.iterate(bucket, greater(query.prefix, query.after)), query)
    const encode = readEncoding(param)
    return xmlAnswer(
      xmlDocument('ListVersionsResult', [
        ...describeQuery(bucket, query, encode),
        element('KeyMarker', encode(query.after)),
        element('VersionIdMarker', param('version-id-marker') ?? ''),
        element('IsTruncated', page.next !== undefined),
        ...optional('EncodingType', param('encoding-type')),
        ...optional('NextKeyMarker', page.next && encode(page.next)),
        ...optional('NextVersionIdMarker', page.next && 'null'),
        ...page.objects.map((object) =>
          element('Version', [
            ...describeObject(object, encode),
            element('VersionId', 'null'),
            element('IsLatest', true),
          ]),
        ),
        ...describePrefixes(page, encode),
      ]),
    )
  }

const readPage = (rows: Iterable<StoredObject>, { prefix, delimiter, maxKeys, after }: Query): Page => {
  const page: Page = { objects: [], commonPrefixes: [], next: undefined }
  let last = after
  for (const object of rows) {
    if (!object.key.startsWith(prefix)) break
    const end = delimiter === '' ? -1 : object.key.indexOf(delimiter, prefix.length)
    const name = end === -1 ? object.key : object.key.slice(0, end + delimiter.length)
    // The marker itself, and every further key under a common prefix that is already told.
    if (name === last && last !== '') continue
    if (page.objects.length + page.commonPrefixes.length === maxKeys)
      return { ...page, next: maxKeys === 0 ? undefined : last }
    if (end === -1) page.objects.push(object)
    else page.commonPrefixes.push(name)
    last = name
  }
  return page
}

const greater = (a: string, b: string): string => (Buffer.compare(Buffer.from(a), Buffer.from(b)) > 0 ? a : b)

const readQuery = (param: S3Call['param'], after: string): Query => {
  const maxKeys = param('max-keys') ?? '1000'
  if (!/^\d{1,9}$/.test(maxKeys))
    throw invalidArgument('Provided max-keys not an integer or within integer range', 'max-keys', maxKeys)
  return {
    prefix: param('prefix') ?? '',
    delimiter: param('delimiter') ?? '',
    maxKeys: Math.min(1000, Number(maxKeys)),
    after,
  }
}

const readEncoding = (param: S3Call['param']): ((text: string) => string) => {
  const encoding = param('encoding-type')
  if (encoding === undefined) return (text) => text
  if (encoding !== 'url')
    throw invalidArgument('Invalid Encoding Method specified in Request', 'encoding-type', encoding)
  return (text) => encodeURIComponent(text).replaceAll('%2F', '/')
}

const describeQuery = (
  bucket: string,
  { prefix, delimiter, maxKeys }: Query,
  encode: (text: string) => string,
): Xml[] => [
  element('Name', bucket),
  element('Prefix', encode(prefix)),
  ...optional('Delimiter', delimiter && encode(delimiter)),
  element('MaxKeys', maxKeys),
]

const describeObject = (object: StoredObject, encode: (text: string) => string): Xml[] => [
  element('Key', encode(object.key)),
  element('LastModified', new Date(object.modifiedMs).toISOString()),
  element('ETag', object.etag),
  element('Size', object.size),
  element('StorageClass', 'STANDARD'),
]

const describePrefixes = ({ commonPrefixes }: Page, encode: (text: string) => string): Xml[] =>
  commonPrefixes.map((prefix) => element('CommonPrefixes', [element('Prefix', encode(prefix))]))

const optional = (name: string, value: string | undefined): Xml[] => (value ? [element(name, value)] : [])

const encodeToken = (key: string): string => Buffer.from(key).toString('base64url')

const decodeToken = (token: string): string => {
  const bytes = Buffer.from(token, 'base64url')
  if (token === '' || bytes.toString('base64url') !== token)
    throw invalidArgument('The continuation token provided is incorrect', 'continuation-token', token)
  return bytes.toString()
}
