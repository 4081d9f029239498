import { createHash } from 'node:crypto'

import { z } from 'zod'

import { checkCharacters } from './characters.ts'
import { invalidParameter } from './errors.ts'

/** The JSON protocol's form: a binary value is base64. */
export const messageAttribute = z.object({
  DataType: z.string(),
  StringValue: z.string().optional(),
  BinaryValue: z.base64().optional(),
})
export const messageAttributes = z.record(z.string(), messageAttribute)
export type MessageAttributes = z.infer<typeof messageAttributes>

const maxAttributes = 10

/** @throws AwsError InvalidParameterValue for what SQS would not take */
export const checkMessageAttributes = (attributes: MessageAttributes): void => {
  const names = Object.keys(attributes)
  if (names.length > maxAttributes)
    throw invalidParameter(
      `Number of message attributes [${names.length}] exceeds the allowed maximum [${maxAttributes}].`,
    )
  for (const [name, attribute] of Object.entries(attributes)) {
    if (!isName(name)) throw invalidParameter(`The message attribute name '${name}' is invalid.`)
    if (!hasValue(attribute))
      throw invalidParameter(
        `The message attribute '${name}' must contain a non-empty value that matches its type, String, Number or Binary.`,
      )
    checkCharacters(attribute.StringValue ?? '')
  }
}

/** Those that a receiver asked for: a name, `prefix.*`, `.*` or `All`. */
export const pickMessageAttributes = (attributes: MessageAttributes, wanted: readonly string[]): MessageAttributes =>
  Object.fromEntries(Object.entries(attributes).filter(([name]) => wanted.some((pattern) => matches(name, pattern))))

export const attributeBytes = (attributes: MessageAttributes): number =>
  Object.entries(attributes).reduce(
    (sum, [name, attribute]) =>
      sum + Buffer.byteLength(name) + Buffer.byteLength(attribute.DataType) + valueOf(attribute).length,
    0,
  )

/** Source: AWS, "Calculating the MD5 message digest for message attributes". Undefined when there are none. */
export const md5OfAttributes = (attributes: MessageAttributes): string | undefined => {
  const names = Object.keys(attributes).sort()
  if (names.length === 0) return undefined
  const hash = createHash('md5')
  for (const name of names) {
    const attribute = attributes[name]
    if (!attribute) continue
    updateWithLength(hash, Buffer.from(name))
    updateWithLength(hash, Buffer.from(attribute.DataType))
    hash.update(Buffer.from([isBinary(attribute.DataType) ? 2 : 1]))
    updateWithLength(hash, valueOf(attribute))
  }
  return hash.digest('hex')
}

const updateWithLength = (hash: ReturnType<typeof createHash>, bytes: Buffer): void => {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  hash.update(length).update(bytes)
}

const isName = (name: string): boolean =>
  /^[\w-]+(\.[\w-]+)*$/.test(name) && name.length <= 256 && !/^(aws|amazon)\./i.test(name)

const isBinary = (dataType: string): boolean => /^Binary(\.|$)/.test(dataType)

type Attribute = z.infer<typeof messageAttribute>

const hasValue = ({ DataType, StringValue, BinaryValue }: Attribute): boolean => {
  if (!/^(String|Number|Binary)(\.[ -~]{1,200})?$/.test(DataType)) return false
  if (isBinary(DataType)) return Boolean(BinaryValue) && StringValue === undefined
  if (!StringValue || BinaryValue !== undefined) return false
  return !DataType.startsWith('Number') || Number.isFinite(Number(StringValue))
}

const valueOf = ({ DataType, StringValue, BinaryValue }: Attribute): Buffer =>
  isBinary(DataType) ? Buffer.from(BinaryValue ?? '', 'base64') : Buffer.from(StringValue ?? '')

const matches = (name: string, pattern: string): boolean => {
  if (pattern === 'All' || pattern === '.*') return true
  return pattern.endsWith('.*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern
}
