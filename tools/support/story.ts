import type { KeyFacts } from '#shared/domain/keys.ts'
import { keptUntil } from '#shared/domain/purposes.ts'
import type { StoredObject } from '#shared/domain/stored-object.ts'
import type { VerdictRecord } from '#shared/domain/verdict.ts'

import { redrivePaths } from './redrive.ts'

/** An event of one image, as the log has it. */
export type ToldEvent = {
  type: string
  id: string
  traceparent: string | undefined
  data: Readonly<Record<string, unknown>>
  appendedAt: Date
}

/** A record that a service gave up. */
export type ToldLetter = { topic: string; reason: string; since: Date }

/** What the state bucket holds of a job: the text of each fact that is there. */
export type ToldJob = { id: string } & Partial<Record<JobFact, string>>
export const jobFacts = ['entry', 'cancelled', 'claimed', 'result'] as const
export type JobFact = (typeof jobFacts)[number]

/** Who is asked, and named by that in the story. */
const sources = ['store', 'verdict', 'event log', 'job'] as const
export type Source = (typeof sources)[number]

/** All that was found of one image. */
export type Found = {
  facts: KeyFacts
  object: StoredObject | undefined
  verdict: VerdictRecord | undefined
  /** As they were appended. */
  events: readonly ToldEvent[]
  letters: readonly ToldLetter[]
  job: ToldJob | undefined
  /** Who could not be asked, and why. */
  silent: { [Each in Source]?: string }
}

export type Line = { about: string; text: string }

/** The story of one image in the order in which it happened, and last what follows from it and what can be done. */
export const tellStory = (found: Found, now: Date): Line[] => [
  { about: 'key', text: describeKey(found.facts) },
  describe(found, 'store', describeObject(found)),
  describe(found, 'verdict', describeVerdict(found.verdict)),
  ...(found.silent['event log'] === undefined ? [] : [describe(found, 'event log', '')]),
  ...found.events.map((event) => ({ about: 'event', text: describeEvent(event) })),
  ...found.letters.map((letter) => ({ about: 'dead letter', text: describeLetter(letter) })),
  ...(found.job || found.silent.job !== undefined ? [describe(found, 'job', describeJob(found.job))] : []),
  ...describeTrace(found),
  { about: 'so', text: conclude(found, now) },
]

const describe = ({ silent }: Found, source: Source, text: string): Line => {
  const why = silent[source]
  return { about: source, text: why === undefined ? text : `can't be asked: ${why}` }
}

const describeKey = ({ purpose, userId, date }: KeyFacts) =>
  `a ${purpose} image of user ${JSON.stringify(userId)}` +
  (date === undefined ? '' : `, whose ticket was issued on ${dayOf(date)} (UTC)`)

const dayOf = (date: string) => `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}`

const describeObject = ({ object, facts }: Found) => {
  if (!object) return 'nothing is stored under this key now'
  const { size, contentType, etag, versionId, lastModified } = object
  const until = keptUntil(facts.purpose, lastModified)
  const version = versionId === undefined ? '' : `, version ${versionId}`
  const kept = until ? `kept until ${until.toISOString()}` : 'kept for ever'
  return `${size} bytes as ${contentType || 'no type'}, stored ${lastModified.toISOString()}, etag ${etag}${version}, ${kept}`
}

const describeVerdict = (verdict: VerdictRecord | undefined) => {
  if (!verdict) return 'there is none'
  const { verdict: kind, reason, detail, etag, event_id, width, height, deleted, removed } = verdict
  const why = reason === undefined ? '' : ` (${reason}: ${detail ?? ''})`
  const size = width === undefined || height === undefined ? '' : `, ${width} x ${height} pixels`
  const later = deleted ? '; told as deleted' : removed ? '; to be removed for that' : ''
  return `${kind}${why}${size}, about etag ${etag}, event ${event_id}${later}`
}

const describeEvent = ({ type, id, appendedAt, data }: ToldEvent) => {
  const details = ['reason', 'cause', 'job_id', 'result'].flatMap((name) =>
    data[name] === undefined
      ? []
      : [`${name} ${typeof data[name] === 'string' ? data[name] : JSON.stringify(data[name])}`],
  )
  return [`${appendedAt.toISOString()} ${type}`, `id ${id}`, ...details].join(', ')
}

const describeLetter = ({ topic, reason, since }: ToldLetter) => `${since.toISOString()} in ${topic}: ${reason}`

const jobWords: Readonly<Record<JobFact, string>> = {
  entry: 'sent to the queue',
  cancelled: 'cancelled',
  claimed: 'claimed by a worker',
  result: 'answered',
}

const describeJob = (job: ToldJob | undefined) => {
  if (!job) return 'there is none'
  const known = jobFacts.filter((fact) => job[fact] !== undefined).map((fact) => jobWords[fact])
  return `${job.id}: ${known.length === 0 ? 'the ledger knows nothing of it' : known.join(', ')}`
}

const describeTrace = ({ object, events }: Found): Line[] => {
  const traceparent = events.find((event) => event.traceparent !== undefined)?.traceparent
  const trace = (traceparent ?? object?.metadata['traceparent'])?.split('-')[1]
  return trace === undefined ? [] : [{ about: 'trace', text: trace }]
}

/** After so long an upload should have been judged, and a scan dispatched. */
const patienceMs = 60_000

const conclude = (found: Found, now: Date): string => {
  const { object, verdict, events, letters, silent } = found
  const missing = sources.filter((source) => silent[source] !== undefined)
  if (missing.length > 0)
    return `The story is not whole without ${missing.join(', ')}: ask again when that answers. /readyz of the services tells who is away.`
  if (letters.length > 0) {
    return `A service gave up on it. When the cause is mended: ${redrives(letters)}.`
  }
  const last = events.findLast(({ type }) => type.startsWith('image.'))
  if (last?.type === 'image.deleted' && !object) {
    return last.data['cause'] === 'expired'
      ? 'It was kept for as long as its purpose says, and is gone.'
      : 'It was deleted.'
  }
  if (!object && !verdict && events.length === 0) {
    return 'Nothing was ever stored under this key, or all that was known of it has expired.'
  }
  if (!object) return concludeGone(found)
  if (!last && !verdict) return concludeUnseen(object, now)
  if (verdict && verdict.etag !== object.etag) {
    return 'The verdict is about an earlier object; the one that is stored now waits for its own. See `npm run reconcile`.'
  }
  return concludeJudged(found, now)
}

const redrives = (letters: readonly ToldLetter[]) =>
  [...new Set(letters.map(({ topic }) => `npm run redrive -- ${redriveName(topic)}`))].join(', ')

/** What the command calls the way back from there. */
const redriveName = (topic: string) => Object.entries(redrivePaths).find(([, { from }]) => from === topic)?.[0] ?? topic

const concludeGone = ({ verdict }: Found) =>
  verdict?.removed
    ? 'It was refused and removed for that.'
    : 'It is gone from the store, and the event that tells so is not there: it is on its way, or the log no longer keeps it.'

const concludeUnseen = ({ lastModified }: StoredObject, now: Date) =>
  now.getTime() - lastModified.getTime() < patienceMs
    ? 'It was stored just now, and nobody has looked at it yet.'
    : 'Nobody has looked at it: its notification waits in the uploads queue (see the upload-watcher), is in quarantine (`npm run redrive -- quarantine`), or never came (`npm run reconcile`).'

const concludeJudged = (found: Found, now: Date): string => {
  const { verdict, events, job } = found
  const judged = events.find(({ type }) => type === 'image.uploaded' || type === 'image.rejected')
  const isAccepted = verdict ? verdict.verdict === 'accepted' : judged?.type === 'image.uploaded'
  if (!isAccepted) return `It was refused: ${verdict?.detail ?? 'see the event'}`
  if (!job) return 'It was accepted. Nothing more happens to images of this purpose.'
  return concludeJob(found, job, now)
}

const concludeJob = ({ events, object }: Found, job: ToldJob, now: Date): string => {
  const has = (type: string) => events.some((event) => event.type === type)
  if (has('scan.analyzed') || job.result !== undefined) return 'It was accepted, its job was run and has its result.'
  if (job.cancelled !== undefined) return 'Its job is cancelled, since the image had been deleted.'
  if (job.claimed !== undefined) return 'Its job is with a worker, and has no result yet.'
  if (has('scan.dispatched') || job.entry !== undefined) {
    return 'Its job is in the queue: no worker has told a result yet. Workers that only read the queue tell none.'
  }
  return object && now.getTime() - object.lastModified.getTime() > patienceMs
    ? 'It was accepted and its job was not sent: see the scan-dispatcher, whose lag or readiness tells why.'
    : 'It was accepted just now; its job follows.'
}
