import type { S3Call } from './answer.ts'
import { ownerId } from './events.ts'
import { invalidArgument } from './errors.ts'
import { encodeKey } from './key-encoding.ts'
import type { StoredObject } from './version-rows.ts'
import { element, type Xml } from './xml.ts'

/** What both listings are asked. */
export type ListQuery = {
  prefix: string
  delimiter: string
  maxKeys: number
  encoding: string | undefined
  encode: (text: string) => string
}

const maxMaxKeys = 2 ** 31 - 1
const pageKeys = 1000

/** @throws AwsError InvalidArgument */
export const readQuery = (param: S3Call['param']): ListQuery => {
  const maxKeys = param('max-keys') ?? String(pageKeys)
  if (!/^-?\d{1,10}$/.test(maxKeys))
    throw invalidArgument('Provided max-keys not an integer or within integer range', 'max-keys', maxKeys)
  if (Number(maxKeys) < 0 || Number(maxKeys) > maxMaxKeys)
    throw invalidArgument(`Argument maxKeys must be an integer between 0 and ${maxMaxKeys}`, 'maxKeys', maxKeys)
  const encoding = param('encoding-type')
  if (encoding !== undefined && encoding !== 'url')
    throw invalidArgument('Invalid Encoding Method specified in Request', 'encoding-type', encoding)
  return {
    prefix: param('prefix') ?? '',
    delimiter: param('delimiter') ?? '',
    maxKeys: Math.min(pageKeys, Number(maxKeys)),
    encoding,
    encode: encoding === undefined ? (text) => text : encodeKey,
  }
}

export const describeQuery = (bucket: string, { prefix, delimiter, maxKeys, encoding, encode }: ListQuery): Xml[] => [
  element('Name', bucket),
  element('Prefix', encode(prefix)),
  ...optional('Delimiter', delimiter && encode(delimiter)),
  element('MaxKeys', maxKeys),
  ...optional('EncodingType', encoding),
]

export const describeObject = (object: StoredObject, encode: ListQuery['encode'], hasOwner: boolean): Xml[] => [
  element('Key', encode(object.key)),
  element('LastModified', new Date(object.modifiedMs).toISOString()),
  element('ETag', object.etag),
  element('Size', object.size),
  element('StorageClass', 'STANDARD'),
  ...(hasOwner ? [owner] : []),
]

export const owner: Xml = element('Owner', [element('ID', ownerId)])

export const describePrefixes = (commonPrefixes: readonly string[], encode: ListQuery['encode']): Xml[] =>
  commonPrefixes.map((prefix) => element('CommonPrefixes', [element('Prefix', encode(prefix))]))

export const optional = (name: string, value: string | undefined): Xml[] => (value ? [element(name, value)] : [])
