import type { ObjectKey } from '#shared/domain/keys.ts'
import { isVerdictOn, maxVerdictBytes, readVerdict, verdictKey, type VerdictRecord } from '#shared/domain/verdict.ts'
import { RefusalError } from '#shared/ports/failures.ts'
import type { NewObject, ObjectStore } from '#shared/ports/object-store.ts'

/** A verdict and the etag of what it is stored in. */
export type StoredVerdict = { verdict: VerdictRecord; etag: string }

/** The stored verdict on a key; undefined while there is none, or when it can't be read. */
export const findVerdict = async (
  states: ObjectStore,
  key: ObjectKey,
  signal: AbortSignal,
): Promise<StoredVerdict | undefined> => {
  const start = await states.readStart(verdictKey(key), maxVerdictBytes, { signal })
  const verdict = start && readVerdict(start.bytes)
  return verdict && { verdict, etag: start.object.etag }
}

type Stores = { images: Pick<ObjectStore, 'head'>; states: ObjectStore }

/** Each of them means that another wrote the verdict between our reading and writing it. */
const maxConflicts = 5

/**
 * Stores a verdict, unless the one that is there speaks of what took the place of its object: notifications come in any order,
 * and again at any time. Nearly always none is there, and one call does it.
 * @throws RefusalError when it keeps changing, and whatever the stores throw
 */
export const storeVerdict = async (
  { images, states }: Stores,
  key: ObjectKey,
  verdict: VerdictRecord,
  signal: AbortSignal,
): Promise<void> => {
  const object = writeVerdict(key, verdict)
  if ((await createVerdict(states, object)) === 'created') return
  for (let conflicts = 0; conflicts < maxConflicts; conflicts++) {
    const found = await findVerdict(states, key, signal)
    if (!found) return states.put(object)
    if (await isOutdated(images, key, { verdict, found: found.verdict }, signal)) return
    if (found.etag === '') return states.put(object)
    if ((await states.replace(object, found.etag)) === 'replaced') return
  }
  throw new RefusalError(`the verdict on ${key} keeps changing`)
}

/** A store that knows no conditional writes refuses each of them. */
const createVerdict = async (states: ObjectStore, object: NewObject) => {
  try {
    return await states.create(object)
  } catch (error) {
    if (error instanceof RefusalError) return 'exists'
    throw error
  }
}

/** What is there now decides: a newer state may have gone again. Times, in whole seconds, must do where neither is there. */
const isOutdated = async (
  images: Stores['images'],
  key: ObjectKey,
  { verdict, found }: { verdict: VerdictRecord; found: VerdictRecord },
  signal: AbortSignal,
): Promise<boolean> => {
  if (found.event_id === verdict.event_id) return false
  const object = await images.head(key, { signal })
  if (object && isVerdictOn(verdict, object)) return false
  if (object && isVerdictOn(found, object)) return true
  return Date.parse(found.uploaded_at) >= Date.parse(verdict.uploaded_at)
}

/**
 * Adds to a verdict that its object is gone. One that has taken its place meanwhile speaks of a newer object, or says the
 * same: it stays as it is.
 * @throws RefusalError when it keeps changing, and whatever the store throws
 */
export const markDeleted = async (
  states: ObjectStore,
  key: ObjectKey,
  first: StoredVerdict,
  eventId: string,
  signal: AbortSignal,
): Promise<void> => {
  let found: StoredVerdict | undefined = first
  for (let conflicts = 0; conflicts < maxConflicts; conflicts++) {
    if (!found || found.verdict.deleted || found.verdict.event_id !== first.verdict.event_id) return
    const object = writeVerdict(key, { ...found.verdict, deleted: { event_id: eventId } })
    // Some stores tell no etag.
    if (found.etag === '') return states.put(object)
    if ((await states.replace(object, found.etag)) === 'replaced') return
    found = await findVerdict(states, key, signal)
  }
  throw new RefusalError(`the verdict on ${key} keeps changing`)
}

const writeVerdict = (key: ObjectKey, verdict: VerdictRecord): NewObject => ({
  key: verdictKey(key),
  body: JSON.stringify(verdict),
  contentType: 'application/json',
})
