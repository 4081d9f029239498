import { hash } from 'node:crypto'

import type { Context } from 'hono'

import type { Place } from '#shared/domain/announce.ts'
import { parseKey, type KeyFacts } from '#shared/domain/keys.ts'
import type { Purpose } from '#shared/domain/purposes.ts'
import { CredentialsError } from '#shared/ports/failures.ts'
import type { ObjectStore, UploadSigner } from '#shared/ports/object-store.ts'
import type { Log } from '#shared/runtime/log.ts'
import { traceIdOf } from '#shared/runtime/tracing.ts'

import { empty, json, type Answer } from './answers.ts'
import { readJson } from './bodies.ts'
import { describeImage, describeRemoved, findVerdict } from './metadata.ts'
import type { ApiMetrics } from './metrics.ts'
import { ProblemError } from './problems.ts'
import { randomIds } from './random-ids.ts'
import { metadataRoute, ticketRoute } from './routes.ts'
import { planTicket, readTicketRequest, writeTicket, type TicketRules } from './tickets.ts'
import { withinLimit } from './time-limit.ts'

export type HandlerDeps = {
  place: Place
  images: ObjectStore
  states: ObjectStore
  signer: UploadSigner
  log: Log
  metrics: ApiMetrics
  ticketRules: TicketRules
  now: () => Date
}

/** What is known of every request: its id, for logs and answers, and its trace context, where it has one. */
export type RequestMarks = { requestId: string; traceparent: string | undefined }

/** A request whose caller is known. */
export type UserCall = RequestMarks & { c: Context; userId: string }

const nextId = randomIds()

export const issueTicket = async (deps: HandlerDeps, call: UserCall, pathPurpose: Purpose | undefined) => {
  const { place, signer, log, metrics, ticketRules } = deps
  const { c, userId, traceparent } = call
  const request = readTicketRequest(await readJson(c.req), pathPurpose)
  const now = deps.now()
  const { facts, locks } = planTicket(request, { userId, id: nextId(), now, traceparent }, ticketRules)
  const signing = signer.sign(locks, now)
  const signed = signing instanceof Promise ? await withinLimit(() => signing, undefined, CredentialsError) : signing
  const { key, purpose } = facts
  metrics.ticketIssued(purpose)
  const about = { user_id: userId, key, purpose, size: locks.contentLength }
  log.info({ outcome: 'issued', ...about, ...describeMarks(call) }, 'ticket issued')
  return json(ticketRoute, 200, writeTicket(place, facts, signed, now))
}

export const readMetadata = async ({ place, images, states }: HandlerDeps, call: UserCall): Promise<Answer> => {
  const facts = findOwnKey(call)
  const [object, verdict] = await withinLimit((signal) =>
    Promise.all([images.head(facts.key, { signal }), findVerdict(states, facts, signal)]),
  )
  const described = object ? describeImage(place, facts, object, verdict) : describeRemoved(place, facts, verdict)
  if (!described) throw imageNotFound()
  const answer = json(metadataRoute, 200, described)
  return answerConditionally(answer, call.c.req.header('If-None-Match'))
}

export const deleteImage = async ({ images, log }: HandlerDeps, call: UserCall): Promise<Answer> => {
  const { key, purpose, userId } = findOwnKey(call)
  await withinLimit((signal) => images.remove(key, { signal }))
  log.info({ outcome: 'deleted', user_id: userId, key, purpose, ...describeMarks(call) }, 'image deleted')
  return empty(204)
}

const describeMarks = ({ requestId, traceparent }: RequestMarks) =>
  traceparent === undefined ? { request_id: requestId } : { request_id: requestId, trace_id: traceIdOf(traceparent) }

/** The key that the path names. Another user's is answered like one that is not there. */
const findOwnKey = ({ c, userId }: UserCall): KeyFacts => {
  const parsed = parseKey(c.req.param('key') ?? '')
  if (!parsed.ok || parsed.facts.userId !== userId) throw imageNotFound()
  return parsed.facts
}

const imageNotFound = () =>
  new ProblemError('image_not_found', 'No image of yours has this key. Keys are those that tickets name.')

/** A caller who has the same document already is told so. Source: RFC 9110, 13.1.2: the comparison is weak. */
const answerConditionally = ({ status, body, headers }: Answer, ifNoneMatch: string | undefined): Answer => {
  const etag = `"${hash('sha256', body ?? '', 'hex').slice(0, 32)}"`
  const cached = { ETag: etag, 'Cache-Control': 'private, no-cache' }
  const known = ifNoneMatch?.split(',').map((tag) => tag.trim().replace(/^W\//, '')) ?? []
  if (known.includes(etag) || known.includes('*')) return empty(304, cached)
  return { status, body, headers: { ...headers, ...cached } }
}
