import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { sqliteEventLog } from '#shared/adapters/sqlite/event-log.ts'

import { eventLogContract } from '../../../contract/event-log.ts'

eventLogContract('the SQLite adapter', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'event-log-'))
  const open = () => sqliteEventLog({ path: join(directory, 'events.db') })
  const log = open()
  const opened = [log]
  return {
    log,
    reopen: () => {
      const another = open()
      opened.push(another)
      return Promise.resolve(another)
    },
    dispose: async () => {
      await Promise.all(opened.map((handle) => handle.close()))
      await rm(directory, { recursive: true })
    },
  }
})
