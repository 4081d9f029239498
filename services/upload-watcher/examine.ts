import { inspectImage } from '#shared/domain/images/inspect.ts'
import type { ObjectFacts } from '#shared/domain/verdict.ts'
import type { ObjectStore, Pin } from '#shared/ports/object-store.ts'

/** Holds the header of nearly every image. */
const firstReadBytes = 65_536
/** Camera makers put previews and profiles before a JPEG's dimensions; beyond this nobody looks. */
const longestReadBytes = 1_048_576

/**
 * Looks at an object: its size and what its first bytes say. One ranged GET, a second one only where an image's
 * dimensions lie further back. Undefined when the object is not there.
 */
export const examineObject = async (
  store: ObjectStore,
  key: string,
  options: { pin: Pin; signal: AbortSignal },
): Promise<ObjectFacts | undefined> => {
  const start = await store.readStart(key, firstReadBytes, options)
  if (!start) return undefined
  const inspection = inspectImage(start.bytes)
  const { object } = start
  const bytesRead = start.bytes.length
  if (inspection.kind !== 'incomplete' || bytesRead >= object.size) return { object, inspection, bytesRead }
  const pin: Pin = { ...options.pin, etag: object.etag }
  const more = await store.readStart(key, longestReadBytes, { pin, signal: options.signal })
  return more && { object: more.object, inspection: inspectImage(more.bytes), bytesRead: more.bytes.length }
}
