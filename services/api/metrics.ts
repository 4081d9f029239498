import { Counter, type Registry } from 'prom-client'

import type { Purpose } from '#shared/domain/purposes.ts'

export type ApiMetrics = {
  ticketIssued: (purpose: Purpose) => void
  answered: (method: string, status: number) => void
}

export const apiMetrics = (registry: Registry): ApiMetrics => {
  const tickets = new Counter({
    name: 'image_intake_tickets_total',
    help: 'Upload tickets issued, by purpose.',
    labelNames: ['purpose'],
    registers: [registry],
  })
  const requests = new Counter({
    name: 'image_intake_http_requests_total',
    help: 'Requests answered, by method and status.',
    labelNames: ['method', 'status'],
    registers: [registry],
  })
  return {
    ticketIssued: (purpose) => tickets.inc({ purpose }),
    answered: (method, status) => requests.inc({ method, status }),
  }
}
