import { randomUUID } from 'node:crypto'

import { done } from '#shared/domain/outcomes.ts'
import type { ConsumeOptions, EventLog, LogRecord } from '#shared/ports/event-log.ts'

import { eventually } from './eventually.ts'

/** Joining a group takes a real broker seconds. */
export const patienceMs = 60_000

/** A member of a group that notes what it was handed. */
export const startConsumer = (
  log: EventLog,
  options: Pick<ConsumeOptions, 'topics'> & Partial<Pick<ConsumeOptions, 'group' | 'handle' | 'concurrency'>>,
) => {
  const { topics, group = `group-${randomUUID()}`, concurrency = 1 } = options
  const seen: LogRecord[] = []
  const stop = new AbortController()
  const deadline = new AbortController()
  const handle: ConsumeOptions['handle'] = (record, context) => {
    seen.push(record)
    return options.handle ? options.handle(record, context) : Promise.resolve(done)
  }
  const ended = log.consume({ group, topics, handle, concurrency }, { stop: stop.signal, deadline: deadline.signal })
  // A test that fails before it awaits the end must fail with its own reason.
  ended.catch(() => undefined)
  return {
    group,
    seen,
    values: () => seen.map(({ value }) => value),
    /** Resolves when that many different values were handed out. */
    saw: (count: number) =>
      eventually(
        () => new Set(seen.map(({ value }) => value)).size >= count,
        `${count} records handed out`,
        patienceMs,
      ),
    /** Rejects when the consumer does. */
    ended,
    stop: () => {
      stop.abort()
      return ended
    },
    /** As when the grace after a stop is over. */
    abandon: () => {
      stop.abort()
      deadline.abort()
      return ended
    },
  }
}

export type TestConsumer = ReturnType<typeof startConsumer>

/** All that stands in a topic. */
export const readAll = async (log: EventLog, topic: string): Promise<LogRecord[]> =>
  log
    .read({ topics: [topic], from: 'start', follow: false, signal: new AbortController().signal })
    .then((records) => Array.fromAsync(records))

/** The values of each key, in the order of the records. */
export const valuesByKey = (records: readonly LogRecord[]): Record<string, string[]> => {
  const byKey: Record<string, string[]> = {}
  for (const { key, value } of records) (byKey[key] ??= []).push(value)
  return byKey
}

/** Repeats are allowed, at least once; what counts is the order in which values came first. */
export const firstSights = (records: readonly LogRecord[]): LogRecord[] => {
  const seen = new Set<string>()
  return records.filter(({ value }) => seen.size < seen.add(value).size)
}
