import { Counter, type Registry } from 'prom-client'

import type { Purpose } from '#shared/domain/purposes.ts'
import { openDurations, openTally } from '#shared/runtime/tallies.ts'

/** Where a call went, in few words; keys stand in no metric. `none`: to no route, or with a method that it does not take. */
export type RouteName = 'tickets' | 'metadata' | 'images' | 'preflight' | 'service' | 'none'

export type Answered = { route: RouteName; method: string; status: number; seconds: number }

export type ApiMetrics = {
  ticketIssued: (purpose: Purpose) => void
  answered: (answered: Answered) => void
}

/** A ticket takes well under a millisecond, a call that asks S3 some; those that S3 keeps waiting end at 2 s. */
const durationBounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]

export const apiMetrics = (registry: Registry): ApiMetrics => {
  const tickets = new Counter({
    name: 'image_intake_tickets_total',
    help: 'Upload tickets issued, by purpose.',
    labelNames: ['purpose'],
    registers: [registry],
  })
  const countRequest = openTally({
    name: 'image_intake_http_requests_total',
    help: 'Requests answered, by method and status.',
    labelNames: ['method', 'status'],
    registry,
  })
  const observeDuration = openDurations({
    name: 'image_intake_http_request_duration_seconds',
    help: 'From the head of a request to its whole answer, by route.',
    labelName: 'route',
    bounds: durationBounds,
    registry,
  })
  return {
    ticketIssued: (purpose) => tickets.inc({ purpose }),
    answered: ({ route, method, status, seconds }) => {
      countRequest(method, status)
      observeDuration(route, seconds)
    },
  }
}
