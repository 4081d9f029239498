import { planCancel } from '#shared/domain/dispatch.ts'
import { readImageDeletedSchema } from '#shared/domain/events.ts'
import type { CancelOutcome } from '#shared/domain/outcomes.ts'

import type { RecentIds } from './recent-ids.ts'
import { placeOf, readEvent } from './read-event.ts'
import type { Settle, SettleDeps } from './settled.ts'

/**
 * Settles image.deleted: what somebody deleted is not analyzed any more. It is noted whether or not there was a job, since
 * its image.uploaded may come later.
 */
export const openCancel =
  ({ ledger, purposes, now }: SettleDeps, cancelled: RecentIds): Settle<CancelOutcome> =>
  async (record) => {
    const read = readEvent(readImageDeletedSchema, record)
    if (!read.ok) return { outcome: 'rejected', reason: read.problem }
    const { id: eventId, traceparent, data } = read.event
    const { key } = data
    const plan = planCancel(read.event, { purposes, now: now() })
    switch (plan.kind) {
      case 'rejected':
        return { outcome: 'rejected', reason: plan.reason }
      case 'passed':
      case 'expired':
        return { outcome: plan.kind, key, eventId, traceparent }
      case 'due':
        cancelled.add(plan.ref.jobId)
        await ledger.cancel(plan.ref, { key, eventId, by: placeOf(record), at: now() })
        return { outcome: 'cancelled', key, eventId, traceparent, jobId: plan.ref.jobId }
      default:
        return plan satisfies never
    }
  }
