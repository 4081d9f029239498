import { z } from 'zod'

import { deadLetterHeaders } from '#shared/adapters/record-handling.ts'
import { jobKeys, refJob } from '#shared/domain/job-refs.ts'
import type { KeyFacts } from '#shared/domain/keys.ts'
import { topics } from '#shared/domain/resources.ts'
import { maxVerdictBytes, readVerdict, verdictKey } from '#shared/domain/verdict.ts'
import type { EventLog, LogRecord } from '#shared/ports/event-log.ts'
import type { ObjectStore } from '#shared/ports/object-store.ts'
import { messageOf } from '#shared/runtime/message-of.ts'

import { receiptHeader } from './redrive-topic.ts'
import { jobFacts, type Found, type Source, type ToldEvent, type ToldJob, type ToldLetter } from './story.ts'

export type StorySources = {
  bucket: string
  images: Pick<ObjectStore, 'head'>
  states: Pick<ObjectStore, 'readStart'>
  events: Pick<EventLog, 'read'>
}

const maxFactBytes = 16_384

/**
 * Reads the whole log once: an image's records are found by their key alone. A source that can't be asked is named with its
 * reason, and the others tell what they know.
 */
export const gatherStory = async (sources: StorySources, facts: KeyFacts, signal: AbortSignal): Promise<Found> => {
  const { images, states } = sources
  const silent: Found['silent'] = {}
  const ask = async <T>(source: Source, asking: Promise<T>): Promise<T | undefined> => {
    try {
      return await asking
    } catch (error) {
      silent[source] = messageOf(error)
      return undefined
    }
  }
  const [object, verdict, told, job] = await Promise.all([
    ask('store', images.head(facts.key, { signal })),
    ask('verdict', states.readStart(verdictKey(facts.key), maxVerdictBytes, { signal })),
    ask('event log', readRecords(sources, facts, signal)),
    ask('job', findJob(sources, facts, signal)),
  ])
  const { events = [], letters = [] } = told ?? {}
  return { facts, object, verdict: verdict && readVerdict(verdict.bytes), events, letters, job, silent }
}

const readRecords = async ({ events: log }: StorySources, { key }: KeyFacts, signal: AbortSignal) => {
  const events: ToldEvent[] = []
  const letters = new Map<string, ToldLetter>()
  const names = topics.map(({ name }) => name)
  for await (const record of await log.read({ topics: names, from: 'start', follow: false, signal })) {
    if (record.key !== key) continue
    const { topic, partition, offset, headers } = record
    // A receipt crosses out the letter that was put back.
    if (headers[receiptHeader] !== undefined) letters.delete(`${topic} ${headers[receiptHeader]}`)
    else if (topic.endsWith('.dead-letter')) letters.set(`${topic} ${partition}:${offset}`, readLetter(record))
    else events.push(readEvent(record))
  }
  events.sort((one, other) => one.appendedAt.getTime() - other.appendedAt.getTime())
  return { events, letters: [...letters.values()] }
}

const readLetter = ({ topic, headers, appendedAt }: LogRecord): ToldLetter => ({
  topic,
  reason: headers[deadLetterHeaders.reason] ?? 'no reason was kept',
  since: appendedAt,
})

const eventSchema = z.object({
  type: z.string(),
  id: z.string(),
  traceparent: z.string().optional(),
  data: z.record(z.string(), z.unknown()),
})

/** Others may publish under the same topics: what is no event of ours is told all the same. */
const readEvent = ({ topic, value, appendedAt }: LogRecord): ToldEvent => {
  const event = eventSchema.safeParse(parseJson(value)).data
  if (event) return { ...event, traceparent: event.traceparent, appendedAt }
  return { type: `${topic} (unreadable)`, id: 'none', traceparent: undefined, data: {}, appendedAt }
}

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const findJob = async ({ bucket, states }: StorySources, facts: KeyFacts, signal: AbortSignal) => {
  const ref = refJob(bucket, facts)
  if (!ref) return undefined
  const keys = jobKeys(ref)
  const job: ToldJob = { id: ref.jobId }
  for (const fact of jobFacts) {
    const start = await states.readStart(keys[fact], maxFactBytes, { signal })
    if (start) job[fact] = new TextDecoder().decode(start.bytes)
  }
  // Whether other purposes get jobs is the dispatcher's setting alone.
  return facts.purpose === 'scan' || jobFacts.some((fact) => job[fact] !== undefined) ? job : undefined
}
