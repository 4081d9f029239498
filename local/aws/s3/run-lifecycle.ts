import { AwsError } from '../errors.ts'
import type { Bucket, Buckets } from './buckets.ts'
import { newRequestId, serviceName } from './events.ts'
import { type Expiration, type LifecycleRule, readRules } from './lifecycle.ts'
import type { Objects, Removal } from './objects.ts'
import { anySequence, type ListedVersion, type StoredVersion } from './version-rows.ts'

const dayMs = 86_400_000
const keysAtOnce = 500

/**
 * Applies the stored lifecycle rules of all buckets as they stand at a moment, at once: S3 does so once a day. What it
 * takes is told as LifecycleExpiration. Gives how many objects and versions were taken.
 * @throws AwsError NotImplemented when a stored rule says more than is built; then nothing is taken
 */
export const runLifecycle = async (
  { buckets, objects }: { buckets: Buckets; objects: Objects },
  atMs: number,
): Promise<number> => {
  const planned = buckets
    .all()
    .map((bucket) => ({ bucket, rules: bucket.lifecycle ? readRules(bucket.lifecycle) : [] }))
  let count = 0
  for (const { bucket, rules } of planned) count += await expireBucket(objects, bucket, rules.filter(isEnabled), atMs)
  return count
}

const isEnabled = (rule: LifecycleRule): boolean => rule.isEnabled

const expireBucket = async (
  objects: Objects,
  bucket: Bucket,
  rules: readonly LifecycleRule[],
  atMs: number,
): Promise<number> => {
  const cause = { sourceIp: serviceName, requestId: newRequestId(), by: 'LifecycleExpiration' as const }
  let count = 0
  let after: string | undefined = rules.length === 0 ? undefined : ''
  while (after !== undefined) {
    const keys = readKeys(objects.iterate(bucket.name, { key: after, below: after === '' ? anySequence : 0 }))
    const removals = keys.flatMap((versions) => planExpiry(versions, rules, atMs))
    // Nothing is awaited between the reading and this call, which begins with its transaction: what is judged is what goes.
    const removed = await objects.remove(bucket.name, removals, cause)
    count += removed.filter((outcome) => !(outcome instanceof AwsError)).length
    after = keys.length < keysAtOnce ? undefined : keys.at(-1)?.[0]?.key
  }
  return count
}

/** The versions of the first keys. */
const readKeys = (rows: Iterable<ListedVersion>): ListedVersion[][] => {
  const keys: ListedVersion[][] = []
  for (const row of rows) {
    const same = keys.at(-1)
    if (same?.[0]?.key === row.key) same.push(row)
    else if (keys.length === keysAtOnce) break
    else keys.push([row])
  }
  return keys
}

/** What the rules take of one key, whose versions come newest first. */
export const planExpiry = (
  versions: readonly StoredVersion[],
  rules: readonly LifecycleRule[],
  atMs: number,
): Removal[] => {
  const [current, ...noncurrent] = versions
  if (!current) return []
  const fitting = rules.filter(({ prefix }) => current.key.startsWith(prefix))
  const old = noncurrent.filter((_, index) => {
    const sinceMs = versions[index]?.modifiedMs ?? Infinity
    return fitting.some((rule) => takesNoncurrent(rule, index, sinceMs, atMs))
  })
  const isTaken = fitting.some((rule) => takesCurrent(rule, current, noncurrent.length, atMs))
  // The old ones first: the marker of a suspended bucket takes the place, and the name, of an old version null.
  return [...old.map(({ key, version }) => ({ key, version })), ...(isTaken ? [removalOf(current)] : [])]
}

/** An object goes as by a plain DELETE; a marker that nothing lies under goes for good. */
const removalOf = ({ kind, key, version }: StoredVersion): Removal => (kind === 'object' ? { key } : { key, version })

const takesCurrent = (
  { expiration }: LifecycleRule,
  current: StoredVersion,
  olderCount: number,
  atMs: number,
): boolean => {
  if (!expiration) return false
  if (current.kind === 'object') return hasExpired(expiration, current.modifiedMs, atMs)
  return olderCount === 0 && (expiration.kind === 'lone markers' || hasExpired(expiration, current.modifiedMs, atMs))
}

const hasExpired = (expiration: Expiration, createdMs: number, atMs: number): boolean => {
  switch (expiration.kind) {
    case 'days':
      return atMs >= daysLater(createdMs, expiration.days)
    case 'date':
      return atMs >= expiration.dateMs
    case 'lone markers':
      return false
  }
}

const takesNoncurrent = ({ noncurrent }: LifecycleRule, newerCount: number, sinceMs: number, atMs: number): boolean =>
  noncurrent !== undefined && newerCount >= noncurrent.kept && atMs >= daysLater(sinceMs, noncurrent.days)

/** Source: Amazon S3 User Guide, "Lifecycle configuration elements": days are added, then rounded up to midnight UTC. */
const daysLater = (fromMs: number, days: number): number => Math.ceil((fromMs + days * dayMs) / dayMs) * dayMs
