import { backoff } from '#shared/runtime/backoff.ts'

import { statusOf } from './failures.ts'
import { AnswerError } from './answer-error.ts'

/** Before the same request, or what failed of it, is sent again. */
export const retryDelayMs = backoff({ baseMs: 200, capMs: 200 })

/** Answers that another attempt may turn, besides throttling. Source: the SDK's own standard retries. */
const passingStatuses = new Set([429, 500, 502, 503, 504])
const passingNames =
  /^(Slow_?Down|RequestTimeout|.*Throttl.*|RequestLimitExceeded|TooManyRequests.*|BandwidthLimitExceeded)/

/** Whether the same request may succeed a moment later: the service did not answer, or asks to come again. */
export const isPassing = (error: unknown): boolean => {
  const status = statusOf(error)
  if (status === undefined) return true
  return passingStatuses.has(status) || (error instanceof Error && passingNames.test(error.name))
}

/** Services refuse what was signed 15 minutes away from their own time; 5 minutes is what SQS allows. */
const skewNames = new Set([
  'AccessDeniedException',
  'AuthFailure',
  'InvalidSignatureException',
  'RequestExpired',
  'RequestInTheFuture',
  'RequestTimeTooSkewed',
  'SignatureDoesNotMatch',
])
const leastSkewMs = 240_000

/**
 * How far the service's clock is ahead of ours in ms, when that explains why it refused a signature.
 * `offsetMs` is what was reckoned with already.
 */
export const findSkew = (error: unknown, offsetMs: number, now: number): number | undefined => {
  if (!(error instanceof AnswerError) || !error.answeredAt) return undefined
  // Answers to HEAD have no body, and so no name.
  const isNameless = error.name === 'Unknown' && statusOf(error) === 403
  if (!isNameless && !skewNames.has(error.name)) return undefined
  const skewMs = error.answeredAt.getTime() - now
  return Math.abs(skewMs - offsetMs) >= leastSkewMs ? skewMs : undefined
}
