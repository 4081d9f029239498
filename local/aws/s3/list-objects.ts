import { type S3Answer, type S3Call, xmlAnswer } from './answer.ts'
import type { Buckets } from './buckets.ts'
import { invalidArgument } from './errors.ts'
import { describeObject, describePrefixes, describeQuery, optional, readQuery } from './listing.ts'
import type { Objects } from './objects.ts'
import { placeOf, readPage } from './pages.ts'
import { element, xmlDocument } from './xml.ts'

/** ListObjectsV2. */
export const listObjects =
  ({ buckets, objects }: { buckets: Buckets; objects: Objects }) =>
  ({ bucket, param }: S3Call): S3Answer => {
    buckets.get(bucket)
    if (param('list-type') !== '2')
      throw invalidArgument('Invalid List Type specified in Request', 'list-type', param('list-type') ?? '')
    const token = param('continuation-token')
    const startAfter = param('start-after')
    const query = readQuery(param)
    const { encode } = query
    const after = token === undefined ? (startAfter ?? '') : decodeToken(token)
    const page = readPage(objects.iterateCurrent(bucket, placeOf(query.prefix, after)), { ...query, after })
    return xmlAnswer(
      xmlDocument('ListBucketResult', [
        ...describeQuery(bucket, query),
        element('KeyCount', page.entries.length + page.commonPrefixes.length),
        element('IsTruncated', page.next !== undefined),
        ...optional('StartAfter', startAfter && encode(startAfter)),
        ...optional('ContinuationToken', token),
        ...optional('NextContinuationToken', page.next && encodeToken(page.next)),
        ...page.entries.map((object) =>
          element('Contents', describeObject(object, encode, param('fetch-owner') === 'true')),
        ),
        ...describePrefixes(page.commonPrefixes, encode),
      ]),
    )
  }

const encodeToken = (key: string): string => Buffer.from(key).toString('base64url')

const decodeToken = (token: string): string => {
  const bytes = Buffer.from(token, 'base64url')
  if (token === '' || bytes.toString('base64url') !== token)
    throw invalidArgument('The continuation token provided is incorrect', 'continuation-token', token)
  return bytes.toString()
}
