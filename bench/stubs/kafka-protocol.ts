/*
 * Reading and writing Kafka's primitive types, big-endian, as its protocol had them before its flexible versions.
 * Source: Apache Kafka, "Protocol Primitive Types".
 */

export type Reader = {
  int8: () => number
  int16: () => number
  int32: () => number
  /** Null is read as ''. */
  string: () => string
  bytes: () => Buffer
  /** Undefined for null, which asks for all where a list names what is wanted. */
  array: <T>(item: () => T) => T[] | undefined
}

export const readerOf = (buffer: Buffer): Reader => {
  let at = 0
  const skip = (size: number) => (at += size) - size
  const int16 = () => buffer.readInt16BE(skip(2))
  const int32 = () => buffer.readInt32BE(skip(4))
  const take = (length: number) => {
    const from = skip(Math.max(length, 0))
    return buffer.subarray(from, at)
  }
  return {
    int8: () => buffer.readInt8(skip(1)),
    int16,
    int32,
    string: () => take(int16()).toString(),
    bytes: () => take(int32()),
    array: (item) => {
      const length = int32()
      return length < 0 ? undefined : Array.from({ length }, item)
    },
  }
}

export const int8 = (value: number) => Buffer.from([value])

export const int16 = (value: number) => {
  const buffer = Buffer.alloc(2)
  buffer.writeInt16BE(value)
  return buffer
}

export const int32 = (value: number) => {
  const buffer = Buffer.alloc(4)
  buffer.writeInt32BE(value)
  return buffer
}

export const int64 = (value: number) => {
  const buffer = Buffer.alloc(8)
  buffer.writeBigInt64BE(BigInt(value))
  return buffer
}

export const string = (text: string) => Buffer.concat([int16(Buffer.byteLength(text)), Buffer.from(text)])

export const array = <T>(items: readonly T[], write: (item: T) => Buffer) =>
  Buffer.concat([int32(items.length), ...items.map(write)])
