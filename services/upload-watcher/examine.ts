import { inspectImage } from '#shared/domain/images/inspect.ts'
import type { ObjectFacts } from '#shared/domain/verdict.ts'
import { OutageError, RefusalError } from '#shared/ports/failures.ts'
import type { ObjectStart, ObjectStore, Pin } from '#shared/ports/object-store.ts'

/** Holds the header of nearly every image. */
const firstReadBytes = 65_536
/** Camera makers put previews and profiles before a JPEG's dimensions; beyond this nobody looks. */
const longestReadBytes = 1_048_576
/** For both reads together: a store that gives its bytes drop by drop would else hold a message for ever. */
const longestLookMs = 10_000

type Look = { pin: Pin; signal: AbortSignal }

/**
 * Looks at an object: its size and what its first bytes say. One ranged GET, a second one only where a JPEG's or an
 * AVIF's dimensions lie further back (in the other types they stand at fixed places near the beginning). Undefined when
 * the object is not there.
 * @throws OutageError after `maxMs`: it can't be told whether S3 or the object is slow, and of the two errors, to wait
 * costs less than to put good uploads aside. RefusalError when S3 gives fewer bytes than the object has.
 */
export const examineObject = (
  store: ObjectStore,
  key: string,
  { maxMs = longestLookMs, pin, signal }: Look & { maxMs?: number },
): Promise<ObjectFacts | undefined> => withinTime(maxMs, signal, (ended) => lookAt(store, key, { pin, signal: ended }))

const lookAt = async (store: ObjectStore, key: string, look: Look): Promise<ObjectFacts | undefined> => {
  const start = await read(store, key, firstReadBytes, look)
  if (!start) return undefined
  const facts = inspect(start)
  if (facts.inspection.kind !== 'incomplete' || facts.bytesRead >= facts.object.size) return facts
  const more = await read(store, key, longestReadBytes, { ...look, pin: { ...look.pin, etag: start.object.etag } })
  return more && inspect(more)
}

const inspect = ({ object, bytes }: ObjectStart): ObjectFacts => ({
  object,
  inspection: inspectImage(bytes, object.size),
  bytesRead: bytes.length,
})

/** A verdict on fewer bytes than there are would be a verdict on the transfer. */
const read = async (store: ObjectStore, key: string, maxBytes: number, look: Look) => {
  const start = await store.readStart(key, maxBytes, look)
  if (!start) return undefined
  const { length } = start.bytes
  const expected = Math.min(maxBytes, start.object.size)
  if (length < expected) throw new RefusalError(`S3 gave ${length} of the first ${expected} bytes of ${key}`)
  return start
}

/** The wait ends with the time or the signal, whether or not the store heeds them. */
const withinTime = async <T>(
  maxMs: number,
  signal: AbortSignal,
  work: (ended: AbortSignal) => Promise<T>,
): Promise<T> => {
  signal.throwIfAborted()
  const ended = new AbortController()
  const cut = Promise.withResolvers<never>()
  const end = (reason: unknown) => {
    ended.abort(reason)
    cut.reject(reason)
  }
  // Not AbortSignal.any and a last abort: for every image they would cost as much as a signature.
  const follow = () => end(signal.reason)
  signal.addEventListener('abort', follow)
  const timer = setTimeout(() => end(new OutageError('S3', `no whole answer within ${maxMs} ms`)), maxMs)
  try {
    return await Promise.race([work(ended.signal), cut.promise])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', follow)
  }
}
