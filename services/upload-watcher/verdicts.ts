import { given } from '#shared/domain/given.ts'
import type { ObjectKey } from '#shared/domain/keys.ts'
import type { StoredObject } from '#shared/domain/stored-object.ts'
import {
  isVerdictOn,
  maxVerdictBytes,
  noteRemoval,
  readRemovalNote,
  readVerdict,
  verdictKey,
  type ToldRemoval,
  type VerdictRecord,
} from '#shared/domain/verdict.ts'
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

/** What stands in the place of a verdict: one, a note of a removal, or what can't be read. */
type Standing = { verdict?: VerdictRecord; told?: ToldRemoval; etag: string }

const findStanding = async (
  states: ObjectStore,
  key: ObjectKey,
  signal: AbortSignal,
): Promise<Standing | undefined> => {
  const start = await states.readStart(verdictKey(key), maxVerdictBytes, { signal })
  if (!start) return undefined
  const verdict = readVerdict(start.bytes)
  const told = verdict ? verdict.deleted : readRemovalNote(start.bytes)
  return { ...given({ verdict, told }), etag: start.object.etag }
}

/** Each of them means that another wrote the verdict between our reading and writing it. */
const maxConflicts = 5

/**
 * Stores a verdict, unless the one that is there speaks of what took the place of its object: notifications come in any order,
 * and again at any time. Nearly always none is there, and one call does it. What is gone by now, and told, stays so.
 * @throws RefusalError when it keeps changing, and whatever the stores throw
 */
export const storeVerdict = async (
  { images, states }: Stores,
  key: ObjectKey,
  verdict: VerdictRecord,
  signal: AbortSignal,
): Promise<void> => {
  if ((await createVerdict(states, writeVerdict(key, verdict))) === 'created') return
  for (let conflicts = 0; conflicts < maxConflicts; conflicts++) {
    const standing = await findStanding(states, key, signal)
    const isRepeat = standing?.verdict?.event_id === verdict.event_id && !standing.told
    const object = isRepeat || !standing ? undefined : await images.head(key, { signal })
    if (standing?.verdict && !isRepeat && isOutdated(verdict, standing.verdict, object)) return
    const deleted = object ? undefined : findRemoval(verdict, standing?.told)
    const written = writeVerdict(key, { ...verdict, ...given({ deleted }) })
    if (!standing || standing.etag === '') return states.put(written)
    if ((await states.replace(written, standing.etag)) === 'replaced') return
  }
  throw new RefusalError(`the verdict on ${key} keeps changing`)
}

/** The removal that was told, when it may be that of the verdict's object: what came later has not been told. */
const findRemoval = ({ uploaded_at }: VerdictRecord, told: ToldRemoval | undefined): ToldRemoval | undefined =>
  told?.at !== undefined && Date.parse(uploaded_at) <= Date.parse(told.at) ? told : undefined

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
const isOutdated = (verdict: VerdictRecord, standing: VerdictRecord, object: StoredObject | undefined): boolean => {
  if (standing.event_id === verdict.event_id) return false
  if (object && isVerdictOn(verdict, object)) return false
  if (object && isVerdictOn(standing, object)) return true
  return Date.parse(standing.uploaded_at) >= Date.parse(verdict.uploaded_at)
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
  deleted: ToldRemoval,
  signal: AbortSignal,
): Promise<void> => {
  let found: StoredVerdict | undefined = first
  for (let conflicts = 0; conflicts < maxConflicts; conflicts++) {
    if (!found || found.verdict.deleted || found.verdict.event_id !== first.verdict.event_id) return
    const object = writeVerdict(key, { ...found.verdict, deleted })
    // Some stores tell no etag.
    if (found.etag === '') return states.put(object)
    if ((await states.replace(object, found.etag)) === 'replaced') return
    found = await findVerdict(states, key, signal)
  }
  throw new RefusalError(`the verdict on ${key} keeps changing`)
}

/**
 * Notes that a removal was told of what has no verdict yet: the notification of its upload may be on the way still, and that of
 * the removal may come again.
 */
export const markUnseen = async (
  states: ObjectStore,
  key: ObjectKey,
  deleted: ToldRemoval,
  signal: AbortSignal,
): Promise<void> => {
  const note = writeState(key, noteRemoval(deleted))
  if ((await createVerdict(states, note)) === 'created') return
  const standing = await findStanding(states, key, signal)
  if (standing?.verdict) {
    const found = { verdict: standing.verdict, etag: standing.etag }
    return findRemoval(found.verdict, deleted) && markDeleted(states, key, found, deleted, signal)
  }
  if (!standing || standing.etag === '') return states.put(note)
  if (standing.told && isAfter(standing.told, deleted)) return
  await states.replace(note, standing.etag)
}

const isAfter = (one: ToldRemoval, other: ToldRemoval) => (one.at ?? '') >= (other.at ?? '')

const writeVerdict = (key: ObjectKey, verdict: VerdictRecord): NewObject => writeState(key, verdict)

const writeState = (key: ObjectKey, state: object): NewObject => ({
  key: verdictKey(key),
  body: JSON.stringify(state),
  contentType: 'application/json',
})
