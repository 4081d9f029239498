/** What a user may do now, and how much after it. */
export type Allowance = {
  allowed: boolean
  /** Calls a minute, and at once after a rest. */
  limit: number
  remaining: number
  /** Until the whole limit is there again. */
  resetSeconds: number
  /** Until one more call is allowed. */
  retryAfterSeconds: number
}

/** Counts one call of a user; undefined where nothing is limited. */
export type LimitUser = (userId: string) => Allowance | undefined

type Bucket = { calls: number; atMs: number }

const minuteMs = 60_000

/**
 * A token bucket per user, in the memory of this process: several instances allow as many times as much. Who rested for
 * a minute has a full bucket, so only users of the last minute are kept, and no more than `maxUsers` of them: beyond that
 * the longest unseen is forgotten.
 */
export const limitUsers = ({
  perMinute,
  nowMs = Date.now,
  maxUsers = 50_000,
}: {
  /** 0: no limit. */
  perMinute: number
  nowMs?: () => number
  maxUsers?: number
}): LimitUser => {
  if (perMinute === 0) return () => undefined
  // In the order in which users were last seen.
  const buckets = new Map<string, Bucket>()

  const forgetOldest = (now: number) => {
    for (const [userId, { atMs }] of buckets) {
      if (buckets.size <= maxUsers && now - atMs < minuteMs) return
      buckets.delete(userId)
    }
  }

  return (userId) => {
    const now = nowMs()
    const { allowance, calls } = takeCall(buckets.get(userId), perMinute, now)
    buckets.delete(userId)
    buckets.set(userId, { calls, atMs: now })
    forgetOldest(now)
    return allowance
  }
}

const takeCall = (bucket: Bucket | undefined, perMinute: number, now: number) => {
  const perMs = perMinute / minuteMs
  // A clock that was set back gives nothing and takes nothing.
  const refilled = bucket ? Math.min(perMinute, bucket.calls + Math.max(0, now - bucket.atMs) * perMs) : perMinute
  const allowed = refilled >= 1
  const calls = allowed ? refilled - 1 : refilled
  const seconds = (missing: number) => Math.max(0, Math.ceil(missing / perMs / 1000))
  const allowance: Allowance = {
    allowed,
    limit: perMinute,
    remaining: Math.floor(calls),
    resetSeconds: seconds(perMinute - calls),
    retryAfterSeconds: allowed ? 0 : Math.max(1, seconds(1 - calls)),
  }
  return { allowance, calls }
}

/** Source: draft-ietf-httpapi-ratelimit-headers-10. */
export const describeAllowance = ({ limit, remaining, resetSeconds }: Allowance): Record<string, string> => ({
  RateLimit: `"user";r=${remaining};t=${resetSeconds}`,
  'RateLimit-Policy': `"user";q=${limit};w=60`,
})
