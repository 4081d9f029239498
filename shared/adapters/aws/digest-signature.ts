import { hash } from 'node:crypto'

/** Signs a SHA-256 of 64 hex digits, 64 hex digits again. */
export type SignDigest = (digest: string) => string

const blockBytes = 64
const hashBytes = 32
const digestDigits = 64

/**
 * HMAC-SHA256 with one key over one beginning (Latin-1 holds all that SigV4 strings have) and a digest that follows it: two
 * one-shot hashes over buffers that hold all but the digest already, which takes a third of the time of a Hmac object.
 * Source: RFC 2104.
 * @param key at most 64 bytes
 */
export const digestSigner = (key: Buffer, beginning: string): SignDigest => {
  const digestAt = blockBytes + beginning.length
  const inner = padded(key, 0x36, digestAt + digestDigits)
  const outer = padded(key, 0x5c, blockBytes + hashBytes)
  inner.write(beginning, blockBytes, 'latin1')
  return (digest) => {
    if (digest.length !== digestDigits) throw new RangeError(`${digest.length} characters are no SHA-256 in hex`)
    inner.write(digest, digestAt, 'latin1')
    outer.write(hash('sha256', inner, 'latin1'), blockBytes, 'latin1')
    return hash('sha256', outer)
  }
}

type Opened = { beginning: string; sign: SignDigest }

const opened = new WeakMap<Buffer, Opened>()

/** As `digestSigner`, opened once for as long as a key is used with one beginning: of signatures, a second. */
export const digestSignerOf = (key: Buffer, beginning: string): SignDigest => {
  const last = opened.get(key)
  if (last?.beginning === beginning) return last.sign
  const sign = digestSigner(key, beginning)
  opened.set(key, { beginning, sign })
  return sign
}

const padded = (key: Buffer, byte: number, size: number) => {
  const buffer = Buffer.alloc(size)
  for (let index = 0; index < blockBytes; index++) buffer[index] = (key[index] ?? 0) ^ byte
  return buffer
}
