import { randomBytes } from 'node:crypto'

import type { Context } from 'hono'

import type { Place } from '#shared/domain/announce.ts'
import { parseKey, type KeyFacts } from '#shared/domain/keys.ts'
import type { Purpose } from '#shared/domain/purposes.ts'
import type { ObjectStore, UploadSigner } from '#shared/ports/object-store.ts'
import type { Log } from '#shared/runtime/log.ts'

import type { Identify } from './identity.ts'
import { describeImage, findVerdict } from './metadata.ts'
import type { ApiMetrics } from './metrics.ts'
import { ProblemError } from './problems.ts'
import { planTicket, readTicketRequest, writeTicket } from './tickets.ts'
import { withinLimit } from './time-limit.ts'

export type ApiDeps = {
  place: Place
  images: ObjectStore
  states: ObjectStore
  signer: UploadSigner
  identify: Identify
  log: Log
  metrics: ApiMetrics
  /** A sentence when the API can't do its work now. */
  problem: () => Promise<string | undefined>
  corsOrigins: readonly string[]
  ticketSeconds: number
  now: () => Date
}

export type Env = { Variables: { requestId: string } }

export const issueTicket = async (deps: ApiDeps, c: Context<Env>, pathPurpose: Purpose | undefined) => {
  const { place, signer, log, metrics, now, ticketSeconds } = deps
  const userId = await deps.identify(c.req.header('Authorization'))
  const request = readTicketRequest(await readJson(c), pathPurpose)
  const by = { userId, id: randomBytes(16).toString('hex'), now: now(), expiresInSeconds: ticketSeconds }
  const { facts, locks } = planTicket(request, by)
  const ticket = writeTicket(place, facts, await withinLimit(() => signer.sign(locks, by.now)), by)
  metrics.ticketIssued(request.purpose)
  const { key } = facts
  log.info(
    { user_id: userId, key, purpose: request.purpose, size: locks.contentLength, request_id: c.get('requestId') },
    'ticket issued',
  )
  return ticket
}

export const readMetadata = async (deps: ApiDeps, c: Context<Env>) => {
  const { place, images, states } = deps
  const facts = await findOwnKey(deps, c)
  const [object, verdict] = await withinLimit((signal) =>
    Promise.all([images.head(facts.key, { signal }), findVerdict(states, facts, signal)]),
  )
  if (!object) throw imageNotFound()
  return describeImage(place, facts, object, verdict)
}

export const deleteImage = async (deps: ApiDeps, c: Context<Env>) => {
  const { key, purpose, userId } = await findOwnKey(deps, c)
  await withinLimit(() => deps.images.remove(key))
  deps.log.info({ user_id: userId, key, purpose, request_id: c.get('requestId') }, 'image deleted')
}

/** The key that the path names. Another user's is answered like one that is not there. */
const findOwnKey = async (deps: ApiDeps, c: Context<Env>): Promise<KeyFacts> => {
  const userId = await deps.identify(c.req.header('Authorization'))
  const parsed = parseKey(c.req.param('key') ?? '')
  if (!parsed.ok || parsed.facts.userId !== userId) throw imageNotFound()
  return parsed.facts
}

const imageNotFound = () =>
  new ProblemError('image_not_found', 'No image of yours has this key. Keys are those that tickets name.')

const readJson = async (c: Context<Env>): Promise<unknown> => {
  const text = await c.req.text()
  try {
    return JSON.parse(text)
  } catch {
    const detail = 'Send a JSON object, such as {"purpose":"scan","content_type":"image/jpeg","content_length":48213}.'
    throw new ProblemError('invalid_json', detail)
  }
}
