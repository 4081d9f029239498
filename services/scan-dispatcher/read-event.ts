import { z } from 'zod'

import { readTraceparent } from '#shared/domain/traceparent.ts'
import type { LogRecord } from '#shared/ports/event-log.ts'
import { traceIdOf } from '#shared/runtime/tracing.ts'

export type ReadEvent<Event> = { ok: true; event: Event } | { ok: false; problem: string }

/** Where a record lies, as the ledger notes it. */
export const placeOf = ({ topic, partition, offset }: LogRecord) => `${topic} ${partition}:${offset}`

const longestProblem = 500

/** What a record holds, or a sentence that says why it is no such event. */
export const readEvent = <Event>(schema: z.ZodType<Event>, { topic, value }: LogRecord): ReadEvent<Event> => {
  const json = parseJson(value)
  if (!json.ok) return { ok: false, problem: 'the record is not JSON' }
  const parsed = schema.safeParse(json.value)
  if (parsed.success) return { ok: true, event: parsed.data }
  const issues = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
  return { ok: false, problem: `the record is no ${topic} event: ${issues.join('; ').slice(0, longestProblem)}` }
}

const markedSchema = z.object({
  id: z.string().max(64).catch(''),
  traceparent: z.string().max(64).optional().catch(''),
})

/** What a record that can't be settled says of its event, for log lines; nothing where it is no event. */
export const identify = ({ value }: LogRecord): { event_id?: string; trace_id?: string } => {
  const json = parseJson(value)
  const { id, traceparent } = markedSchema.safeParse(json.ok ? json.value : undefined).data ?? {}
  const traceId = traceIdOf(readTraceparent(traceparent))
  return { ...(id && { event_id: id }), ...(traceId && { trace_id: traceId }) }
}

const parseJson = (text: string): { ok: true; value: unknown } | { ok: false } => {
  try {
    return { ok: true, value: JSON.parse(text) as unknown }
  } catch {
    return { ok: false }
  }
}
