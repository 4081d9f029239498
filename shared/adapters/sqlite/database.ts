import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import { SetupError } from '#shared/ports/failures.ts'

import { explainFailure } from './failures.ts'
import { applicationId, createSchema, schemaVersion } from './schema.ts'

/**
 * Two connections to one file, which differ in what a commit waits for.
 * `durable` (synchronous = FULL) has written through to the disk when a commit returns: records and topics.
 * `quick` (synchronous = NORMAL) survives the end of the process, and loses its last commits with the machine's power,
 * never their order: offsets and leases, where a loss means a repeat.
 */
export type Connections = { durable: DatabaseSync; quick: DatabaseSync; close: () => void }

const openingTimeoutMs = 5_000
/** SQLite waits in the calling thread, so this bounds how long a busy file can hold up the event loop. */
const busyTimeoutMs = 100

/** @throws SetupError when the file can't be used; OutageError when others keep it busy. */
export const openConnections = (path: string): Connections => {
  const opened: DatabaseSync[] = []
  const close = () => {
    for (const database of opened) if (database.isOpen) database.close()
  }
  try {
    mkdirSync(dirname(path), { recursive: true })
    const [durable, quick] = [openFile(path, 'FULL', opened), openFile(path, 'NORMAL', opened)]
    return { durable, quick, close }
  } catch (error) {
    close()
    throw explainFailure(error, path)
  }
}

const openFile = (path: string, synchronous: 'FULL' | 'NORMAL', opened: DatabaseSync[]): DatabaseSync => {
  const database = new DatabaseSync(path, { timeout: openingTimeoutMs })
  opened.push(database)
  checkVersion(database, path)
  database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous}; PRAGMA journal_size_limit = 16777216`)
  inTransaction(database, () => {
    checkVersion(database, path)
    if (readPragma(database, 'user_version') === 0) database.exec(createSchema)
  })
  database.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`)
  return database
}

const checkVersion = (database: DatabaseSync, path: string): void => {
  const version = readPragma(database, 'user_version')
  const owner = readPragma(database, 'application_id')
  const isEmpty = version === 0 && owner === 0 && readPragma(database, 'schema_version') === 0
  if (isEmpty) return
  if (owner !== applicationId)
    throw new SetupError(`The event log ${path} is a database of another program. Name another file.`)
  if (version > schemaVersion)
    throw new SetupError(
      `The event log ${path} was written by a newer version (format ${version}, this version knows ${schemaVersion}). ` +
        'Run that version, or name another file.',
    )
}

const readPragma = (database: DatabaseSync, name: string): number =>
  integer(Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0])

/** Does the work in one write transaction. */
export const inTransaction = <T>(database: DatabaseSync, work: () => T): T => {
  database.exec('BEGIN IMMEDIATE')
  try {
    const result = work()
    database.exec('COMMIT')
    return result
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}

/** A column that is an integer by the schema. */
export const integer = (value: unknown): number => {
  if (typeof value !== 'number') throw new TypeError(`an integer was expected, not ${typeof value}`)
  return value
}

/** A column that is text by the schema. */
export const text = (value: unknown): string => {
  if (typeof value !== 'string') throw new TypeError(`text was expected, not ${typeof value}`)
  return value
}
