import { cdnUrl, type Place } from '#shared/domain/announce.ts'
import type { RejectionReason } from '#shared/domain/events.ts'
import { given } from '#shared/domain/given.ts'
import type { KeyFacts } from '#shared/domain/keys.ts'
import { keptUntil } from '#shared/domain/purposes.ts'
import type { StoredObject } from '#shared/domain/stored-object.ts'
import { isVerdictOn, maxVerdictBytes, readVerdict, verdictKey, type VerdictRecord } from '#shared/domain/verdict.ts'
import type { ObjectStore } from '#shared/ports/object-store.ts'

import type { ImageMetadata } from './schemas.ts'

/** The stored verdict on a key; undefined while there is none, or when it can't be read. */
export const findVerdict = async (
  states: ObjectStore,
  { key }: KeyFacts,
  signal: AbortSignal,
): Promise<VerdictRecord | undefined> => {
  const start = await states.readStart(verdictKey(key), maxVerdictBytes, { signal })
  return start && readVerdict(start.bytes)
}

/** What is known of an image. A verdict counts only for the very object that it was given on. */
export const describeImage = (
  place: Place,
  facts: KeyFacts,
  object: StoredObject,
  stored: VerdictRecord | undefined,
): ImageMetadata => describe(place, facts, object, stored && isVerdictOn(stored, object) ? stored : undefined)

/** What is known of an object that is gone since it was rejected; undefined when it is gone for another reason. */
export const describeRemoved = (
  place: Place,
  facts: KeyFacts,
  stored: VerdictRecord | undefined,
): ImageMetadata | undefined => {
  if (stored?.verdict !== 'rejected' || !stored.removed) return undefined
  const { size, content_type: contentType, etag, uploaded_at } = stored
  return describe(place, facts, { size, contentType, etag, lastModified: new Date(uploaded_at) }, stored)
}

const describe = (
  place: Place,
  facts: KeyFacts,
  object: Pick<StoredObject, 'size' | 'contentType' | 'etag' | 'lastModified'>,
  verdict: VerdictRecord | undefined,
): ImageMetadata => ({
  key: facts.key,
  purpose: facts.purpose,
  user_id: facts.userId,
  status: verdict?.verdict ?? 'pending',
  ...given({
    // A newer version's may be none of the list yet: clients know that it may grow (docs/events.md).
    reason: verdict?.reason as RejectionReason | undefined,
    detail: verdict?.detail,
    width: verdict?.width,
    height: verdict?.height,
  }),
  size: object.size,
  content_type: object.contentType,
  etag: object.etag,
  uploaded_at: object.lastModified.toISOString(),
  kept_until: keptUntil(facts.purpose, object.lastModified)?.toISOString() ?? null,
  cdn_url: cdnUrl(place, facts.key),
})
