import { given } from '#shared/domain/given.ts'
import type { StoredObject } from '#shared/domain/stored-object.ts'
import { RefusalError } from '#shared/ports/failures.ts'

import { headerOf } from '../aws/answer-error.ts'
import type { HttpAnswer } from '../aws/exchange.ts'

/** What S3's headers tell of an object. @throws RefusalError when they can't be read */
export const describeObject = (key: string, size: number, answer: Pick<HttpAnswer, 'headers'>): StoredObject => {
  const versionId = headerOf(answer, 'x-amz-version-id')
  return {
    key,
    size,
    contentType: headerOf(answer, 'content-type') ?? '',
    etag: (headerOf(answer, 'etag') ?? '').replaceAll('"', ''),
    ...given({ versionId: versionId === 'null' || versionId === '' ? undefined : versionId }),
    lastModified: readTime(headerOf(answer, 'last-modified')),
    metadata: readMetadata(answer),
  }
}

/**
 * An etag as a condition wants it, with the quotes that `describeObject` takes off. Without them one that is empty would be
 * left out, and a store that compares as HTTP does (RFC 9110, section 8.8.3) would answer that the object is another.
 */
export const quoteEtag = (etag: string): string => `"${etag}"`

/**
 * The object's whole size, by the answer to a GET of its first `maxBytes`. A store may send more than was asked for.
 * @throws RefusalError when the bytes are others, or fewer, than they should be
 */
export const readSize = (answer: HttpAnswer, maxBytes: number): number => {
  const length = readNumber(headerOf(answer, 'content-length'))
  if (answer.status !== 206) {
    // Without a length the end of the body is the end of the object.
    if (answer.status === 200 && (length !== undefined || answer.isWhole)) return length ?? answer.body.length
    throw new RefusalError(`HTTP ${answer.status} without a size`)
  }
  const range = headerOf(answer, 'content-range') ?? ''
  const [, end, size] = /^bytes 0-(\d+)\/(\d+)$/i.exec(range.trim()) ?? []
  if (end === undefined || size === undefined) throw new RefusalError(`the answer's range is ${JSON.stringify(range)}`)
  const [promised, wanted] = [Number(end) + 1, Math.min(maxBytes, Number(size))]
  if (answer.body.length < wanted || (answer.isWhole && answer.body.length !== promised))
    throw new RefusalError(`of ${wanted} bytes ${answer.body.length} came, as ${JSON.stringify(range)}`)
  return Number(size)
}

/** Answers to HEAD of an empty object may lack it. */
export const readLength = (answer: Pick<HttpAnswer, 'headers'>): number =>
  readNumber(headerOf(answer, 'content-length')) ?? 0

const readNumber = (text: string | undefined) => (text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined)

const readTime = (text: string | undefined) => {
  const time = new Date(text ?? 0)
  if (Number.isNaN(time.getTime())) throw new RefusalError(`the object's time is ${JSON.stringify(text)}`)
  return time
}

const metadataPrefix = 'x-amz-meta-'

const readMetadata = (answer: Pick<HttpAnswer, 'headers'>) => {
  const metadata: Record<string, string> = {}
  for (const name in answer.headers) {
    if (name.startsWith(metadataPrefix)) metadata[name.slice(metadataPrefix.length)] = headerOf(answer, name) ?? ''
  }
  return metadata
}
