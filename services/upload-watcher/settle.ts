import { announceVerdict, recordVerdict } from '#shared/domain/announce.ts'
import { given } from '#shared/domain/given.ts'
import { parseKey, type KeyFacts, type ObjectKey } from '#shared/domain/keys.ts'
import { purposeRules } from '#shared/domain/purposes.ts'
import { queueNames } from '#shared/domain/resources.ts'
import type { StoredObject } from '#shared/domain/stored-object.ts'
import { judgeImage, type VerdictRecord } from '#shared/domain/verdict.ts'
import type { ObjectStore, Pin } from '#shared/ports/object-store.ts'
import { backoff, pause } from '#shared/runtime/backoff.ts'
import { messaging, traced, traceWork, withTrace } from '#shared/runtime/tracing.ts'

import { findFamily } from './event-families.ts'
import { examineObject } from './examine.ts'
import type { NotificationRecord } from './notification.ts'
import { findForeign } from './origin.ts'
import { settleRemoval } from './removals.ts'
import { publish, quarantined, type SettleDeps, type Settled } from './settled.ts'
import { storeVerdict } from './verdicts.ts'

export type { SettleDeps, Settled } from './settled.ts'

/**
 * Takes one record to its outcome: looks at the object itself, publishes the event, then stores the verdict, and
 * removes what was rejected where that is wanted.
 * Quarantine is only decided here; the caller stores it. Throws when a step fails; a repeat gives the same ids.
 */
export const settleRecord = async (
  deps: SettleDeps,
  record: NotificationRecord,
  signal: AbortSignal,
): Promise<Settled> => {
  const { key } = record
  if (record.kind === 'other') return { outcome: 'ignored', key, reason: findFamily(record.eventName) }
  const foreign = findForeign({ bucket: deps.place.bucket, ...deps.origin }, record)
  if (foreign !== undefined) return quarantined(key, 'foreign', foreign)
  const parsed = parseKey(key)
  if (!parsed.ok) {
    const detail = `the key ${JSON.stringify(key.slice(0, 200))} is not ours: ${parsed.problem}`
    return quarantined(key, 'strange_key', detail)
  }
  const { eventTime, versionId } = record
  const look = (pin: Pin) => settleUpload(deps, parsed.facts, { pin, eventTime }, signal)
  return record.kind === 'created'
    ? look(given({ versionId }))
    : settleRemoval(deps, parsed.facts, { record, lookAgain: () => look({}) }, signal)
}

const settleUpload = async (
  deps: SettleDeps,
  key: KeyFacts,
  { pin, eventTime }: { pin: Pin; eventTime: Date | undefined },
  signal: AbortSignal,
): Promise<Settled> => {
  const startMs = Date.now()
  const facts = await findObject(deps.images, key.key, { pin, signal })
  if (!facts) return { outcome: 'gone', key: key.key }
  const verdict = judgeImage(purposeRules(key.purpose), facts)
  const event = announceVerdict(deps.place, key, facts.object, verdict)
  const attributes = messaging.process('aws_sqs', queueNames.uploads, key.key)
  // Only the object knows its trace, so the span begins before it is known whose it is.
  const work = traceWork(`process ${queueNames.uploads}`, {
    kind: 'consumer',
    parent: event.traceparent,
    attributes,
    startMs,
  })
  const settled = { key: key.key, eventId: event.id, traceparent: work.traceparent }
  return traced(work, async (): Promise<Settled> => {
    await publish(deps, withTrace(event, work), eventTime)
    if (verdict.kind === 'accepted') {
      await storeVerdict(deps, key.key, recordVerdict(event), signal)
      return { outcome: 'uploaded', ...settled }
    }
    await finishRejected(deps, facts.object, { key: key.key, verdict: recordVerdict(event), signal })
    return { outcome: 'rejected', ...settled, reason: verdict.reason }
  })
}

/** The verdict comes before the removal: when the object is gone, nothing else can tell its uploader why. */
const finishRejected = async (
  deps: SettleDeps,
  { versionId, etag }: StoredObject,
  { key, verdict, signal }: { key: ObjectKey; verdict: VerdictRecord; signal: AbortSignal },
): Promise<void> => {
  if (deps.rejectedAction === 'keep') return storeVerdict(deps, key, verdict, signal)
  await storeVerdict(deps, key, { ...verdict, removed: true }, signal)
  await deps.images.removeVersion(key, versionId === undefined ? { etag } : { versionId })
}

/** Some stores announce an object a moment before they show it. */
const looks = 3
const lookDelayMs = backoff({ baseMs: 100, capMs: 1000 })

const findObject = async (images: ObjectStore, key: ObjectKey, look: { pin: Pin; signal: AbortSignal }) => {
  for (let taken = 0; ; taken++) {
    const facts = await examineObject(images, key, look)
    if (facts || taken + 1 === looks) return facts
    await pause(lookDelayMs(taken), look.signal)
  }
}
