import { z } from 'zod'

import { deadLetterHeaders } from '#shared/adapters/record-handling.ts'
import { jobKeys, refJob } from '#shared/domain/job-refs.ts'
import type { KeyFacts } from '#shared/domain/keys.ts'
import { topics } from '#shared/domain/resources.ts'
import { maxVerdictBytes, readVerdict, verdictKey } from '#shared/domain/verdict.ts'
import type { EventLog, LogRecord } from '#shared/ports/event-log.ts'
import type { ObjectStore } from '#shared/ports/object-store.ts'

import { receiptHeader } from './redrive-topic.ts'
import { jobFacts, type Found, type ToldEvent, type ToldJob, type ToldLetter } from './story.ts'

export type StorySources = {
  bucket: string
  images: Pick<ObjectStore, 'head'>
  states: Pick<ObjectStore, 'readStart'>
  events: Pick<EventLog, 'read'>
}

const maxFactBytes = 16_384

/** Reads the whole log once: an image's records are found by their key alone. */
export const gatherStory = async (sources: StorySources, facts: KeyFacts, signal: AbortSignal): Promise<Found> => {
  const { images, states } = sources
  const [object, verdict, told, job] = await Promise.all([
    images.head(facts.key, { signal }),
    states.readStart(verdictKey(facts.key), maxVerdictBytes, { signal }),
    readRecords(sources, facts, signal),
    findJob(sources, facts, signal),
  ])
  return { facts, object, verdict: verdict && readVerdict(verdict.bytes), ...told, job }
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
  const ref = facts.purpose === 'scan' ? refJob(bucket, facts) : undefined
  if (!ref) return undefined
  const keys = jobKeys(ref)
  const job: ToldJob = { id: ref.jobId }
  for (const fact of jobFacts) {
    const start = await states.readStart(keys[fact], maxFactBytes, { signal })
    if (start) job[fact] = new TextDecoder().decode(start.bytes)
  }
  return job
}
