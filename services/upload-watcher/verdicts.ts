import type { ObjectKey } from '#shared/domain/keys.ts'
import { maxVerdictBytes, readVerdict, verdictKey, type VerdictRecord } from '#shared/domain/verdict.ts'
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

export const storeVerdict = (states: ObjectStore, key: ObjectKey, verdict: VerdictRecord): Promise<void> =>
  states.put(writeVerdict(key, verdict))

/** Each of them means that another wrote the verdict between our reading and writing it. */
const maxConflicts = 5

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
