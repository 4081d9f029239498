import type { RecordOutcome } from '#shared/domain/outcomes.ts'
import type { TopicSpec } from '#shared/domain/resources.ts'

/** What is appended. Records of one key keep their order within a topic. */
export type NewRecord = {
  topic: string
  key: string
  value: string
  headers?: Readonly<Record<string, string>>
}

/** What is read back: at least once, in order within its partition. */
export type LogRecord = {
  topic: string
  partition: number
  /** Position in the partition, as a decimal integer; it rises, with gaps allowed. */
  offset: string
  key: string
  value: string
  headers: Readonly<Record<string, string>>
  appendedAt: Date
}

/**
 * Two signals of a consumer's life. `stop`: take nothing new, finish what is in hand. `deadline`: abandon what is in
 * hand; it counts as not done.
 */
export type ConsumerSignals = { stop: AbortSignal; deadline: AbortSignal }

/**
 * Handles one record. A throw is a retry. `signal` aborts at the deadline or when the record's partition is taken away;
 * whatever is returned after that moves no offset.
 */
export type RecordHandler = (
  record: LogRecord,
  context: { signal: AbortSignal; attempt: number },
) => Promise<RecordOutcome>

export type ConsumeOptions = {
  group: string
  topics: readonly string[]
  handle: RecordHandler
  /** How many records are handled at once, over all partitions; records with one key never overlap. */
  concurrency: number
}

export type ReadOptions = {
  topics: readonly string[]
  from: 'start' | 'end'
  /** Goes on with records that come later, until `signal` aborts; else ends where the log ended when reading began. */
  follow: boolean
  signal: AbortSignal
}

/**
 * Topics of keyed records. Promises that an adapter keeps (test/contract/event-log.ts):
 * - `append` resolves when all its records are durable; it rejects when any may not be, and a repeat may then double some.
 *   Appends that are under way at once may share one write, and still settle each by itself.
 * - One key always lands in one partition of a topic, in the order of its appends.
 * - A group starts at the beginning, goes on after its last committed offset, and knows nothing of other groups.
 * - An offset is committed only when every earlier record of the partition has a final outcome: `done`, or stored in
 *   the topic's dead letters (`<topic>.dead-letter`, with its origin in headers).
 * - A record whose handler rejects it, or fails five times by itself, becomes a dead letter; one whose handler meets an
 *   outage waits, uncounted, and its partition with it.
 */
export type EventLog = {
  /** @throws OutageError, RefusalError (a record is impossible, such as too large), SetupError (unknown topic) */
  append: (records: readonly NewRecord[]) => Promise<void>
  /** Resolves after `stop` when what was in hand is finished or the deadline passed; rejects when it can't consume. */
  consume: (options: ConsumeOptions, signals: ConsumerSignals) => Promise<void>
  /** Reads without a group and commits nothing. Where reading begins is fixed when the promise resolves. */
  read: (options: ReadOptions) => Promise<AsyncIterable<LogRecord>>
  /** Creates the topics that are missing and says what it changed, one sentence each. */
  ensureTopics: (topics: readonly TopicSpec[]) => Promise<string[]>
  /** @throws SetupError naming every topic that is missing or differs; OutageError */
  checkTopics: (topics: readonly TopicSpec[]) => Promise<void>
  /** Resolves when the log answers. @throws OutageError */
  ping: (signal?: AbortSignal) => Promise<void>
  close: () => Promise<void>
}

/** A record's own failures before it becomes a dead letter. */
export const maxAttempts = 5
