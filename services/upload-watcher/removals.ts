import { announceRemoval } from '#shared/domain/announce.ts'
import { given } from '#shared/domain/given.ts'
import type { KeyFacts } from '#shared/domain/keys.ts'
import { isVerdictOn, type VerdictRecord } from '#shared/domain/verdict.ts'

import type { RemovalRecord } from './notification.ts'
import { publish, type SettleDeps, type Settled } from './settled.ts'
import { findVerdict, markDeleted, markUnseen } from './verdicts.ts'

/**
 * Takes a removal to its event. A bucket with versions tells of one object many times: of the marker that hides it, then of
 * every version and marker that goes. So what is there now decides, and the verdict keeps that its removal was told. It
 * is marked after the event is published: a crash between the two repeats the event under the same id.
 * `lookAgain` takes what is there to its outcome, as its own notification would: an older version that shows again, since
 * the one above it went, may have lost its verdict to that.
 */
export const settleRemoval = async (
  deps: SettleDeps,
  key: KeyFacts,
  { record, lookAgain }: { record: RemovalRecord; lookAgain: () => Promise<Settled> },
  signal: AbortSignal,
): Promise<Settled> => {
  if (record.removal === 'object') return told(key, await tellRemoval(deps, key, record, record.versionId))
  const object = await deps.images.head(key.key, { signal })
  const found = await findVerdict(deps.states, key.key, signal)
  if (object) return found && !isVerdictOn(found.verdict, object) ? lookAgain() : ignored(key, 'object_remains')
  const plan = planRemoval(record, found?.verdict)
  if (plan.kind === 'ignore') return ignored(key, plan.reason)
  const eventId = await tellRemoval(deps, key, record, plan.versionId)
  const deleted = { event_id: eventId, at: record.eventTime.toISOString() }
  if (found) await markDeleted(deps.states, key.key, found, deleted, signal)
  else if (record.removal === 'marker') await markUnseen(deps.states, key.key, deleted, signal)
  return told(key, eventId)
}

type Plan = { kind: 'ignore'; reason: string } | { kind: 'tell'; versionId: string | undefined }

/**
 * What to tell of a key under which nothing is left. Of a version that expired nobody knows whether it was the object;
 * without a verdict it was told before, or was never looked at. A marker's own version is that of no upload.
 */
const planRemoval = ({ kind, removal, versionId }: RemovalRecord, verdict: VerdictRecord | undefined): Plan => {
  if (verdict?.deleted) return { kind: 'ignore', reason: 'already_told' }
  if (verdict) return { kind: 'tell', versionId: verdict.version_id }
  if (removal === 'marker') return { kind: 'tell', versionId: undefined }
  return kind === 'expired' ? { kind: 'ignore', reason: 'never_seen' } : { kind: 'tell', versionId }
}

const tellRemoval = async (
  deps: SettleDeps,
  key: KeyFacts,
  { kind, sequencer, eventTime }: RemovalRecord,
  versionId: string | undefined,
): Promise<string> => {
  const removal = { bucket: deps.place.bucket, key: key.key, eventTime, ...given({ versionId, sequencer }) }
  const event = announceRemoval(key, removal, kind)
  await publish(deps, event, eventTime)
  return event.id
}

const told = ({ key }: KeyFacts, eventId: string): Settled => ({ outcome: 'deleted', key, eventId })

const ignored = ({ key }: KeyFacts, reason: string): Settled => ({ outcome: 'ignored', key, reason })
