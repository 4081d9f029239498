import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { sqliteEventLog } from '#shared/adapters/sqlite/event-log.ts'
import { deadLetterTopic } from '#shared/domain/resources.ts'
import type { EventLog } from '#shared/ports/event-log.ts'

export type EventLogFile = {
  path: string
  /** Another handle on the file; all are closed at the end. */
  open: (options?: { now?: () => Date }) => EventLog
}

/** Runs a test with the path of an event log that is not there yet. */
export const withEventLogFile = async (body: (file: EventLogFile) => Promise<void>): Promise<void> => {
  const directory = await mkdtemp(join(tmpdir(), 'event-log-'))
  const path = join(directory, 'data', 'events.db')
  const opened: EventLog[] = []
  const open: EventLogFile['open'] = (options = {}) => {
    const log = sqliteEventLog({ path, ...options })
    opened.push(log)
    return log
  }
  try {
    await body({ path, open })
  } finally {
    await Promise.all(opened.map((log) => log.close()))
    await rm(directory, { recursive: true })
  }
}

export const testTopic = 'test.happened'

export const createTestTopic = (log: EventLog, partitions = 1) =>
  log.ensureTopics([
    { name: testTopic, partitions, retentionDays: 7 },
    { name: deadLetterTopic(testTopic), partitions: 1, retentionDays: 7 },
  ])
