import { createHash, type Hash } from 'node:crypto'
import { crc32 } from 'node:zlib'

import { AwsError } from '../errors.ts'
import type { AwsRequest } from '../http.ts'
import { headerNotImplemented } from './errors.ts'

/** What a body's headers promise about its bytes, checked while the bytes stream by. */
export type BodyCheck = {
  update: (chunk: Buffer) => void
  /** @throws AwsError when the bytes are not those that were promised. Gives the quoted ETag. */
  finish: () => { etag: string }
  /** The x-amz-checksum-* headers that were promised, to be kept with the object. */
  checksums: Readonly<Record<string, string>>
}

type Digest = { update: (chunk: Buffer) => void; value: (encoding: 'hex' | 'base64') => string }

const hashDigest = (hash: Hash): Digest => ({
  update: (chunk) => void hash.update(chunk),
  value: (encoding) => hash.digest(encoding),
})

const crc32Digest = (): Digest => {
  let value = 0
  return {
    update: (chunk) => void (value = crc32(chunk, value)),
    value: (encoding) => {
      const bytes = Buffer.alloc(4)
      bytes.writeUInt32BE(value)
      return bytes.toString(encoding)
    },
  }
}

const algorithms: Readonly<Record<string, { bytes: number; open: () => Digest }>> = {
  'x-amz-checksum-sha256': { bytes: 32, open: () => hashDigest(createHash('sha256')) },
  'x-amz-checksum-sha1': { bytes: 20, open: () => hashDigest(createHash('sha1')) },
  'x-amz-checksum-crc32': { bytes: 4, open: crc32Digest },
}

/** @throws AwsError when a promise is malformed, or of an algorithm that is not built */
export const openBodyCheck = ({ headers }: AwsRequest, payloadHash: string): BodyCheck => {
  const md5 = createHash('md5')
  const checksums = readChecksums(headers)
  const promised = Object.entries(checksums).map(([name, wanted]) => ({
    name,
    wanted,
    digest: algorithms[name]?.open(),
  }))
  const payload = payloadHash === 'UNSIGNED-PAYLOAD' ? undefined : createHash('sha256')
  const contentMd5 = readContentMd5(headers)
  return {
    checksums,
    update: (chunk) => {
      md5.update(chunk)
      payload?.update(chunk)
      for (const { digest } of promised) digest?.update(chunk)
    },
    finish: () => {
      const md5Hex = md5.digest('hex')
      if (payload && payload.digest('hex') !== payloadHash)
        throw new AwsError(
          'XAmzContentSHA256Mismatch',
          400,
          "The provided 'x-amz-content-sha256' header does not match what was computed.",
        )
      if (contentMd5 !== undefined && contentMd5 !== md5Hex)
        throw new AwsError('BadDigest', 400, 'The Content-MD5 you specified did not match what we received.')
      const wrong = promised.find(({ wanted, digest }) => digest?.value('base64') !== wanted)
      if (wrong)
        throw new AwsError(
          'BadDigest',
          400,
          `The ${algorithmName(wrong.name)} you specified did not match the calculated checksum.`,
        )
      return { etag: `"${md5Hex}"` }
    },
  }
}

const algorithmName = (header: string): string => header.slice('x-amz-checksum-'.length).toUpperCase()

const readChecksums = (headers: AwsRequest['headers']): Record<string, string> => {
  const found = [...headers].filter(([name]) => name.startsWith('x-amz-checksum-') && name !== 'x-amz-checksum-mode')
  if (found.length > 1)
    throw new AwsError(
      'InvalidRequest',
      400,
      'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.',
    )
  for (const [name, value] of found) {
    const algorithm = algorithms[name]
    if (!algorithm) throw headerNotImplemented(name)
    if (!isBase64Of(value, algorithm.bytes))
      throw new AwsError('InvalidRequest', 400, `Value for ${name} header is invalid.`)
  }
  return Object.fromEntries(found)
}

const readContentMd5 = (headers: AwsRequest['headers']): string | undefined => {
  const value = headers.get('content-md5')
  if (value === undefined) return undefined
  if (!isBase64Of(value, 16)) throw new AwsError('InvalidDigest', 400, 'The Content-MD5 you specified was invalid.')
  return Buffer.from(value, 'base64').toString('hex')
}

const isBase64Of = (text: string, byteLength: number): boolean => {
  const bytes = Buffer.from(text, 'base64')
  return bytes.length === byteLength && bytes.toString('base64') === text
}
