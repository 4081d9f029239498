import { resolve } from 'node:path'

import type { EventLog } from '#shared/ports/event-log.ts'
import type { Log } from '#shared/runtime/log.ts'

import { openAppender } from './append.ts'
import { runConsumer } from './consume.ts'
import { openConnections } from './database.ts'
import { whileBusy } from './failures.ts'
import { readRecords } from './read.ts'
import { recordStore } from './records.ts'
import { openSweeper } from './retention.ts'
import { topicStore } from './topics.ts'
import { openBell } from './wake.ts'

/**
 * The event log in one SQLite file, for one machine: any number of processes may use it at once. It is created, with
 * its directory, when it is not there.
 * @throws SetupError when the file can't be used, is not an event log or was written by a newer version
 */
export const sqliteEventLog = (options: { path: string; log?: Log; now?: () => Date }): EventLog => {
  const { log, now = () => new Date() } = options
  const path = resolve(options.path)
  const connections = openConnections(path)
  const { durable, quick } = connections
  const bell = openBell(path)
  const topics = topicStore(durable)
  const records = recordStore(durable)
  const write = openAppender({ database: durable, path, topics, records, now })
  const sweep = openSweeper({ database: quick, topics, records: recordStore(quick), now })
  const closing = new AbortController()
  const underWay = new Set<Promise<void>>()

  /** Closing waits for it. */
  const track = (work: Promise<void>): Promise<void> => {
    const settled = work.catch(() => undefined).then(() => void underWay.delete(settled))
    underWay.add(settled)
    return work
  }
  const trySweep = () => {
    try {
      sweep()
    } catch (error) {
      log?.warn({ err: error }, 'removing old records failed; it is tried again with a later append')
    }
  }
  const append: EventLog['append'] = async (added) => {
    await track(write(added))
    bell.ring()
    trySweep()
  }

  let closed: Promise<void> | undefined
  const close = async () => {
    closing.abort()
    await Promise.all(underWay)
    connections.close()
    bell.close()
  }

  return {
    append,
    consume: async (wanted, signals) => {
      const context = { connections, path, topics, records, bell, append, closing: closing.signal, now, log }
      await track(runConsumer(wanted, signals, context))
    },
    read: (wanted) =>
      whileBusy(() => readRecords(wanted, { path, topics, records, bell, closing: closing.signal }), path),
    ensureTopics: (wanted) => whileBusy(() => topics.ensure(wanted), path),
    checkTopics: (wanted) => whileBusy(() => topics.check(wanted), path),
    ping: async () => {
      await whileBusy(records.lastId, path)
    },
    close: () => (closed ??= close()),
  }
}
