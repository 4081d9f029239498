import { AwsError } from '../errors.ts'
import { type S3Answer, type S3Call, xmlAnswer } from './answer.ts'
import type { Buckets } from './buckets.ts'
import { headerNotImplemented } from './errors.ts'
import type { Objects } from './objects.ts'
import { childrenOf, element, malformed, parseXml, textOf, xmlDocument } from './xml.ts'

const maxKeys = 1000

/** DeleteObject: 204 also when there is nothing to delete. */
export const deleteObject =
  ({ buckets, objects }: { buckets: Buckets; objects: Objects }) =>
  async ({ request, requestId, bucket, key }: S3Call): Promise<S3Answer> => {
    if (request.headers.has('if-match')) throw headerNotImplemented('If-Match')
    buckets.get(bucket)
    await objects.remove(bucket, [key], { sourceIp: request.sourceIp, requestId })
    return { status: 204 }
  }

/** DeleteObjects: up to a thousand keys; a version other than `null` is an error of its own entry. */
export const deleteObjects =
  ({ buckets, objects }: { buckets: Buckets; objects: Objects }) =>
  async ({ request, requestId, bucket, readText }: S3Call): Promise<S3Answer> => {
    buckets.get(bucket)
    if (![...request.headers.keys()].some((name) => name === 'content-md5' || /^x-amz-checksum-(?!mode)/.test(name)))
      throw new AwsError(
        'InvalidRequest',
        400,
        'Missing required header for this request: Content-MD5 OR x-amz-checksum-*',
      )
    const root = parseXml(await readText(), 'Delete')
    const entries = childrenOf(root, 'Object').map((entry) => ({
      key: textOf(entry, 'Key') ?? '',
      version: textOf(entry, 'VersionId'),
    }))
    if (entries.length === 0 || entries.length > maxKeys || entries.some(({ key }) => key === '')) throw malformed()
    const deletable = entries.filter(({ version }) => version === undefined || version === 'null')
    await objects.remove(
      bucket,
      deletable.map(({ key }) => key),
      { sourceIp: request.sourceIp, requestId },
    )
    const isQuiet = textOf(root, 'Quiet') === 'true'
    const deleted = isQuiet ? [] : deletable.map(({ key }) => element('Deleted', [element('Key', key)]))
    const failed = entries
      .filter((entry) => !deletable.includes(entry))
      .map(({ key, version = '' }) => describeFailure(key, version))
    return xmlAnswer(xmlDocument('DeleteResult', [...deleted, ...failed]))
  }

const describeFailure = (key: string, version: string) =>
  element('Error', [
    element('Key', key),
    element('VersionId', version),
    element('Code', 'NoSuchVersion'),
    element('Message', 'The specified version does not exist.'),
  ])
