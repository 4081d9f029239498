import type { IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'

import { eventRecord, scanAnalyzedSchema } from '#shared/domain/events.ts'
import type { EventLog } from '#shared/ports/event-log.ts'

/** Where the port of S3 takes events: no bucket's name may begin with an underscore. */
export const eventsMount = '/_events'

type Answer = { status: number; body?: object }

const mediaType = 'application/cloudevents+json'
const maxBytes = 262_144

/**
 * Takes scan.analyzed, the event of a worker that is not ours, into the local system's log, which may be a file that only
 * the system itself can write. CloudEvents' HTTP binding, structured mode. As the other doors that are not signed, it is
 * there for processes of this machine, and for no page that a browser shows.
 */
export const eventsDoor =
  (events: Pick<EventLog, 'append'>) =>
  (request: IncomingMessage, response: ServerResponse): void => {
    void answerRequest(request, events)
      .catch((error: unknown): Answer => ({ status: 503, body: { error: String(error) } }))
      .then(({ status, body }) => {
        response.writeHead(status, body && { 'content-type': 'application/json' })
        response.end(body && `${JSON.stringify(body)}\n`)
      })
  }

const answerRequest = async (request: IncomingMessage, events: Pick<EventLog, 'append'>): Promise<Answer> => {
  const refusal = refuse(request)
  if (refusal) return refusal
  const parsed = scanAnalyzedSchema.safeParse(parseJson(await text(request)))
  if (!parsed.success) {
    const issues = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
    return { status: 400, body: { error: `this is no scan.analyzed event: ${issues.join('; ')}` } }
  }
  await events.append([eventRecord(parsed.data)])
  return { status: 204 }
}

const refuse = ({ method, headers, socket, url }: IncomingMessage): Answer | undefined => {
  if (!/^(::1|(::ffff:)?127\.[\d.]+)$/.test(socket.remoteAddress ?? '') || headers.origin !== undefined)
    return { status: 403, body: { error: 'only a process of this machine may publish here' } }
  if (url !== eventsMount) return { status: 404, body: { error: `there is ${eventsMount} here` } }
  if (method !== 'POST') return { status: 405, body: { error: 'events are sent by POST' } }
  if (headers['content-type']?.split(';')[0]?.trim().toLowerCase() !== mediaType)
    return { status: 415, body: { error: `content-type must be ${mediaType}` } }
  const length = Number(headers['content-length'] ?? NaN)
  return length <= maxBytes ? undefined : { status: 413, body: { error: `an event has at most ${maxBytes} bytes` } }
}

const parseJson = (value: string): unknown => {
  try {
    return JSON.parse(value)
  } catch {
    return undefined
  }
}
