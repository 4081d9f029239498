import { DatabaseSync, type SQLInputValue } from 'node:sqlite'

import { schemaSteps } from './schema.ts'

export type Statement<Row> = {
  get: (...values: SQLInputValue[]) => Row | undefined
  all: (...values: SQLInputValue[]) => Row[]
  iterate: (...values: SQLInputValue[]) => Iterable<Row>
  run: (...values: SQLInputValue[]) => { changes: number; id: number }
}

export type Database = {
  prepare: <Row>(sql: string) => Statement<Row>
  /** All of `work` or nothing; durable when it returns. Never nested. */
  transaction: <T>(work: () => T) => T
  /**
   * As `transaction`, durable when it resolves: all that one turn of the event loop brings share one commit, and so one
   * wait for the disk. Each is all or nothing by itself, and sees those before it.
   */
  share: <T>(work: () => T) => Promise<T>
  close: () => void
}

/**
 * One file for both services, so that an object and its notification are one transaction. A file of an older schema is
 * brought to this one. @throws Error when the file is of a newer one
 */
export const openDatabase = (file: string): Database => {
  const database = new DatabaseSync(file)
  try {
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000;')
    migrate(database, file)
  } catch (error) {
    database.close()
    throw error
  }
  const [begin, commit, rollback] = ['BEGIN IMMEDIATE', 'COMMIT', 'ROLLBACK'].map((sql) => database.prepare(sql))
  const transaction = <T>(work: () => T): T => {
    begin?.run()
    try {
      const result = work()
      commit?.run()
      return result
    } catch (error) {
      rollback?.run()
      throw error
    }
  }
  return {
    prepare: <Row>(sql: string) => bindRow<Row>(database, sql),
    transaction,
    share: openSharing(database, transaction),
    close: () => database.close(),
  }
}

const openSharing = (database: DatabaseSync, transaction: Database['transaction']): Database['share'] => {
  const [begin, keep, undo] = ['SAVEPOINT one', 'RELEASE one', 'ROLLBACK TO one'].map((sql) => database.prepare(sql))
  /** Each does its work and gives what tells the outcome after the commit. */
  let waiting: { work: () => () => void; reject: (error: unknown) => void }[] = []

  const attempt = <T>(work: () => T, { resolve, reject }: PromiseWithResolvers<T>) => {
    begin?.run()
    try {
      const result = work()
      keep?.run()
      return () => resolve(result)
    } catch (error) {
      undo?.run()
      keep?.run()
      return () => reject(error)
    }
  }
  const commitAll = () => {
    const all = waiting
    waiting = []
    try {
      for (const tell of transaction(() => all.map(({ work }) => work()))) tell()
    } catch (error) {
      for (const { reject } of all) reject(error)
    }
  }
  return <T>(work: () => T) => {
    const outcome = Promise.withResolvers<T>()
    if (waiting.length === 0) setImmediate(commitAll)
    waiting.push({ work: () => attempt(work, outcome), reject: outcome.reject })
    return outcome.promise
  }
}

const migrate = (database: DatabaseSync, file: string): void => {
  const done = Number(database.prepare('PRAGMA user_version').get()?.['user_version'])
  if (done > schemaSteps.length)
    throw new Error(`${file} was written by a newer release: run that one, or begin with an empty directory`)
  schemaSteps.slice(done).forEach((step, index) => {
    database.exec('BEGIN IMMEDIATE')
    try {
      database.exec(`${step}; PRAGMA user_version = ${done + index + 1}; COMMIT`)
    } catch (error) {
      database.exec('ROLLBACK')
      throw error
    }
  })
}

const bindRow = <Row>(database: DatabaseSync, sql: string): Statement<Row> => {
  const statement = database.prepare(sql)
  // The casts to Row: the schema above is STRICT and each statement names its own columns.
  return {
    get: (...values) => statement.get(...values) as Row | undefined,
    all: (...values) => statement.all(...values) as Row[],
    iterate: (...values) => statement.iterate(...values) as Iterable<Row>,
    run: (...values) => {
      const { changes, lastInsertRowid } = statement.run(...values)
      return { changes: Number(changes), id: Number(lastInsertRowid) }
    },
  }
}
