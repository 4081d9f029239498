import type { ObjectKey } from '#shared/domain/keys.ts'
import { maxVerdictBytes, readVerdict, verdictKey, type VerdictRecord } from '#shared/domain/verdict.ts'
import type { ObjectStore } from '#shared/ports/object-store.ts'

/** The stored verdict on a key; undefined while there is none, or when it can't be read. */
export const findVerdict = async (
  states: ObjectStore,
  key: ObjectKey,
  signal: AbortSignal,
): Promise<VerdictRecord | undefined> => {
  const start = await states.readStart(verdictKey(key), maxVerdictBytes, { signal })
  return start && readVerdict(start.bytes)
}

export const storeVerdict = (states: ObjectStore, key: ObjectKey, verdict: VerdictRecord): Promise<void> =>
  states.put({ key: verdictKey(key), body: JSON.stringify(verdict), contentType: 'application/json' })
