import type { ObjectKey } from '#shared/domain/keys.ts'
import { purposeNames, type Purpose } from '#shared/domain/purposes.ts'
import { lacksVerdict, sortListed, writeNotification, type ListedObject } from '#shared/domain/reconcile.ts'
import { maxVerdictBytes, readVerdict, verdictKey } from '#shared/domain/verdict.ts'
import { OutageError, SetupError } from '#shared/ports/failures.ts'
import type { MessageQueue } from '#shared/ports/message-queue.ts'
import type { ObjectStore } from '#shared/ports/object-store.ts'
import { backoff, retrying } from '#shared/runtime/backoff.ts'
import { limit } from '#shared/runtime/limit.ts'

import { noMoment, parseMoment } from './moment.ts'
import { UsageError } from './run-tool.ts'

export type ReconcileOrder = { purpose?: Purpose; since?: Date; minAgeMinutes: number; dryRun: boolean }

export const reconcileOptions = {
  since: { type: 'string' },
  purpose: { type: 'string' },
  'min-age-minutes': { type: 'string', default: '5' },
  'dry-run': { type: 'boolean' },
} as const

type Value = string | boolean | undefined

/** The command's arguments as an order. @throws UsageError */
export const readReconcileOrder = (given: {
  values: Readonly<Record<string, Value>>
  positionals: readonly string[]
}): ReconcileOrder => {
  const { values, positionals } = given
  if (positionals.length > 0) throw new UsageError(`${positionals.join(' ')} is not understood`)
  return {
    ...(values['purpose'] !== undefined && { purpose: readPurpose(values['purpose']) }),
    ...(values['since'] !== undefined && { since: readMoment(values['since']) }),
    minAgeMinutes: readMinutes(values['min-age-minutes']),
    dryRun: values['dry-run'] === true,
  }
}

const readPurpose = (text: Value): Purpose => {
  const purpose = purposeNames.find((name) => name === text)
  if (!purpose) throw new UsageError(`--purpose ${text} is none of ${purposeNames.join(', ')}`)
  return purpose
}

const readMoment = (text: Value): Date => {
  const moment = parseMoment(text)
  if (!moment) throw new UsageError(`--since ${text} ${noMoment}`)
  return moment
}

const readMinutes = (text: Value): number => {
  if (typeof text === 'string' && /^\d{1,7}$/.test(text)) return Number(text)
  throw new UsageError(`--min-age-minutes ${text} is not a whole number of at least 0`)
}

export type ReconcileTally = Record<'seen' | 'foreign' | 'early' | 'young' | 'judged' | 'sent' | 'failed', number>

export type ReconcileDeps = {
  objects: AsyncIterable<ListedObject>
  states: Pick<ObjectStore, 'readStart'>
  uploads: Pick<MessageQueue, 'send'>
  place: { bucket: string; region: string }
  /** Told after every object. */
  onProgress: (tally: ReconcileTally) => void
  onFailure: (key: string, error: unknown) => void
}

/** Verdicts that are asked for at once. */
const maxInHand = 16
const attempts = 5
const delayMs = backoff({ baseMs: 200, capMs: 5_000 })

/**
 * Sends a notification of every object that has no verdict. One that fails is told and counted, the rest goes on. What was
 * counted when the listing or the set-up fails stands in the tally that `onProgress` last saw.
 * @throws whatever the listing throws, or SetupError
 */
export const reconcile = async (
  { objects, states, uploads, place, onProgress, onFailure }: ReconcileDeps,
  { since, minAgeMinutes, dryRun }: ReconcileOrder,
  now: Date,
): Promise<ReconcileTally> => {
  const window = { now, minAgeMs: minAgeMinutes * 60_000, ...(since && { since }) }
  const tally = { seen: 0, foreign: 0, early: 0, young: 0, judged: 0, sent: 0, failed: 0 }
  const hands = limit(maxInHand)
  const broken = new AbortController()

  const settle = async (key: ObjectKey, object: ListedObject) => {
    const start = await states.readStart(verdictKey(key), maxVerdictBytes)
    if (!lacksVerdict(start && readVerdict(start.bytes), object)) return 'judged'
    if (!dryRun) await uploads.send({ body: writeNotification(place, key, object) })
    return 'sent'
  }
  const count = (kind: keyof ReconcileTally) => {
    tally[kind]++
    onProgress(tally)
  }
  const fail = (key: string, error: unknown) => {
    count('failed')
    onFailure(key, error)
  }
  const isFinal = (error: unknown) => !(error instanceof OutageError) || broken.signal.aborted
  const take = async (key: ObjectKey, object: ListedObject) => {
    try {
      count(await retrying(() => settle(key, object), { attempts, delayMs, signal: broken.signal, isFinal }))
    } catch (error) {
      if (error instanceof SetupError) broken.abort(error)
      else fail(key, error)
    } finally {
      hands.give()
    }
  }

  try {
    for await (const object of objects) {
      if (broken.signal.aborted) break
      tally.seen++
      const sorted = sortListed(object, window)
      if (sorted.kind !== 'due') count(sorted.kind)
      else if (await hands.take(broken.signal)) void take(sorted.facts.key, object)
    }
  } finally {
    await hands.idle()
  }
  broken.signal.throwIfAborted()
  return tally
}

/** What was done, for people, line by line. */
export const describeReconcile = (
  bucket: string,
  { since, minAgeMinutes, dryRun }: ReconcileOrder,
  tally: ReconcileTally,
): string[] => {
  const line = (count: number, what: string) => `${String(count).padStart(8)}  ${what}`
  return [
    `${tally.seen} objects seen in ${bucket}`,
    line(tally.judged, 'with verdict'),
    line(tally.young, `too young: stored less than ${minAgeMinutes} minutes ago`),
    ...(since ? [line(tally.early, `stored before ${since.toISOString()}`)] : []),
    line(tally.foreign, 'foreign: their keys are none of ours'),
    line(tally.sent, dryRun ? 'would be sent, but this is a dry run' : 'sent to be looked at'),
    line(tally.failed, 'failed'),
  ]
}
