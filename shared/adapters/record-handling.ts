import type { RecordOutcome } from '#shared/domain/outcomes.ts'
import { deadLetterTopic } from '#shared/domain/resources.ts'
import { maxAttempts } from '#shared/ports/event-log.ts'
import type { EventLog, LogRecord, NewRecord, RecordHandler } from '#shared/ports/event-log.ts'
import { OutageError, RefusalError, SetupError } from '#shared/ports/failures.ts'
import { backoff, pause } from '#shared/runtime/backoff.ts'
import type { Log } from '#shared/runtime/log.ts'

/**
 * How an adapter goes on after a record. `final`: its offset may move. `abandoned`: it is handed out again later.
 * `broken`: the set-up is wrong, consuming ends with this error.
 */
export type RecordEnd = { kind: 'final' } | { kind: 'abandoned' } | { kind: 'broken'; error: SetupError }

export type RecordHandling = {
  handle: RecordHandler
  /** Stores dead letters. */
  append: EventLog['append']
  /** Aborts when the record is no longer ours: the partition was taken away, or the deadline passed. */
  signal: AbortSignal
  /** Aborts when nothing new is to be taken; an outage is then not waited for. */
  stop: AbortSignal
  log?: Log | undefined
  retryDelayMs?: (attempt: number) => number
  outageDelayMs?: (attempt: number) => number
}

type Attempt = RecordOutcome | { kind: 'outage'; error: OutageError } | { kind: 'broken'; error: SetupError }

const defaultRetryDelayMs = backoff({ baseMs: 100, capMs: 5_000 })
const defaultOutageDelayMs = backoff({ baseMs: 100, capMs: 2_000 })

/** Handles one record until it is final, abandoned, or the set-up proves wrong. Never throws. */
export const handleRecord = async (record: LogRecord, handling: RecordHandling): Promise<RecordEnd> => {
  const { signal, stop, retryDelayMs = defaultRetryDelayMs, outageDelayMs = defaultOutageDelayMs } = handling
  const isAbandoned = () => signal.aborted
  let attempt = 1
  let outages = 0
  while (!isAbandoned()) {
    const end = await attemptRecord(record, attempt, handling)
    // Whatever is returned after the abort moves no offset.
    if (isAbandoned()) break
    switch (end.kind) {
      case 'done':
        return { kind: 'final' }
      case 'broken':
        return end
      case 'reject':
        return storeDeadLetter(record, { reason: end.reason, attempts: attempt }, handling)
      case 'retry':
        if (attempt >= maxAttempts) return storeDeadLetter(record, { reason: end.reason, attempts: attempt }, handling)
        await pause(retryDelayMs(attempt - 1), signal)
        attempt++
        break
      case 'outage':
        if (outages === 0)
          handling.log?.warn({ err: end.error, ...originOf(record) }, 'a record waits for an outage to end')
        await pause(outageDelayMs(outages++), AbortSignal.any([signal, stop]))
        if (stop.aborted) return { kind: 'abandoned' }
        break
      default:
        throw new Error(`no such outcome: ${JSON.stringify(end satisfies never)}`)
    }
  }
  return { kind: 'abandoned' }
}

const attemptRecord = async (record: LogRecord, attempt: number, handling: RecordHandling): Promise<Attempt> => {
  try {
    const outcome = await handling.handle(record, { signal: handling.signal, attempt })
    return isOutcome(outcome) ? outcome : { kind: 'retry', reason: `the handler returned ${JSON.stringify(outcome)}` }
  } catch (error) {
    if (error instanceof OutageError) return { kind: 'outage', error }
    if (error instanceof SetupError) return { kind: 'broken', error }
    handling.log?.warn({ err: error, attempt, ...originOf(record) }, 'handling a record failed')
    return { kind: 'retry', reason: String(error) }
  }
}

/** A handler written in JavaScript may return anything, and no throw may leave here. */
const isOutcome = (outcome: unknown): outcome is RecordOutcome =>
  typeof outcome === 'object' &&
  outcome !== null &&
  'kind' in outcome &&
  (outcome.kind === 'done' || outcome.kind === 'retry' || outcome.kind === 'reject')

const storeDeadLetter = async (record: LogRecord, failure: Failure, handling: RecordHandling): Promise<RecordEnd> => {
  const { signal, stop, append, log, outageDelayMs = defaultOutageDelayMs } = handling
  let letter = deadLetterOf(record, failure, new Date())
  for (let failures = 0; !signal.aborted; failures++) {
    try {
      await append([letter])
      log?.error({ ...originOf(record), ...failure }, 'a record became a dead letter')
      return { kind: 'final' }
    } catch (error) {
      if (error instanceof SetupError) return { kind: 'broken', error }
      if (error instanceof RefusalError && letter.value !== '') {
        letter = withoutValue(letter)
        continue
      }
      log?.warn({ err: error, ...originOf(record) }, 'a dead letter could not be stored; its partition waits')
    }
    if (stop.aborted) break
    await pause(outageDelayMs(failures), AbortSignal.any([signal, stop]))
  }
  return { kind: 'abandoned' }
}

const originOf = ({ topic, partition, offset, key }: LogRecord) => ({ topic, partition, offset, key })

/** Why a record was given up. */
export type Failure = { reason: string; attempts: number }

/** Headers of a dead letter that tell where it came from; all values are text. */
export const deadLetterHeaders = {
  topic: 'dead-letter-topic',
  partition: 'dead-letter-partition',
  offset: 'dead-letter-offset',
  key: 'dead-letter-key',
  reason: 'dead-letter-reason',
  attempts: 'dead-letter-attempts',
  /** ISO 8601, UTC. */
  time: 'dead-letter-time',
  /** Only of a letter that the log refused whole, as with one at the limit of size: how many bytes its record's value has. */
  omitted: 'dead-letter-omitted-bytes',
} as const

const maxReasonLength = 1_000

/** A letter that can't be stored would hold up its partition for ever; its origin still says where the record lies. */
const withoutValue = (letter: NewRecord): NewRecord => ({
  ...letter,
  value: '',
  headers: { ...letter.headers, [deadLetterHeaders.omitted]: String(Buffer.byteLength(letter.value)) },
})

/** The record as it was, on its topic's dead-letter topic, with its origin added to the headers. */
export const deadLetterOf = (record: LogRecord, failure: Failure, now: Date): NewRecord => ({
  topic: deadLetterTopic(record.topic),
  key: record.key,
  value: record.value,
  headers: {
    ...record.headers,
    [deadLetterHeaders.topic]: record.topic,
    [deadLetterHeaders.partition]: String(record.partition),
    [deadLetterHeaders.offset]: record.offset,
    [deadLetterHeaders.key]: record.key,
    [deadLetterHeaders.reason]: failure.reason.slice(0, maxReasonLength),
    [deadLetterHeaders.attempts]: String(failure.attempts),
    [deadLetterHeaders.time]: now.toISOString(),
  },
})
