import { hash } from 'node:crypto'

import type { ObjectKey } from './keys.ts'

/** 32 hex digits of SHA-256 over the parts, joined by line feeds: no part of ours can hold one. */
const digest = (...parts: string[]) => hash('sha256', parts.join('\n')).slice(0, 32)

/** The id of a scan's job: known with the ticket, the same in every replay. */
export const jobId = (bucket: string, key: ObjectKey) => digest('job', bucket, key)

/** One state of one object, as the store's own answer (not the notification) told it. */
export type ObjectState = { bucket: string; key: ObjectKey; versionId?: string; etag: string; lastModified: Date }

/** The id of an event about an object that was read: the version decides, or etag and time where there are no versions. */
export const objectEventId = (type: string, state: ObjectState) => {
  const version = state.versionId === undefined || state.versionId === 'null' ? undefined : state.versionId
  const about = version === undefined ? [state.etag, state.lastModified.toISOString()] : [version]
  return digest(type, state.bucket, state.key, ...about)
}

/** What a notification tells of a removal. */
export type Removal = { bucket: string; key: ObjectKey; versionId?: string; sequencer?: string; eventTime: Date }

export const removalEventId = (type: string, removal: Removal) =>
  digest(type, removal.bucket, removal.key, removal.versionId ?? removal.sequencer ?? removal.eventTime.toISOString())

/** The id of an event that tells what became of another: the same for the same cause. */
export const followingEventId = (type: string, causeId: string) => digest(type, causeId)

const lanes = 4

/**
 * A job's group in the FIFO queue: jobs of one group wait for each other. Each user has 4 lanes, so one user's flood holds
 * up nobody else, and one hung job holds up at most a quarter of that user's.
 */
export const jobGroup = (userId: string, id: string) =>
  `${hash('sha256', userId, 'hex').slice(0, 32)}-${Number.parseInt(id.slice(0, 8), 16) % lanes}`
