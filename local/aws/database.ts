import { DatabaseSync, type SQLInputValue } from 'node:sqlite'

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
  close: () => void
}

// AUTOINCREMENT, because a message's id is in its receipt handle and must never come back.
const schema = `
  CREATE TABLE IF NOT EXISTS buckets (
    name TEXT PRIMARY KEY, created_ms INTEGER NOT NULL,
    notifications TEXT NOT NULL DEFAULT '[]', cors TEXT, lifecycle TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS objects (
    bucket TEXT NOT NULL, key TEXT NOT NULL, blob TEXT NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL,
    headers TEXT NOT NULL, checksums TEXT NOT NULL, modified_ms INTEGER NOT NULL,
    PRIMARY KEY (bucket, key)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS sequencer (value INTEGER NOT NULL) STRICT;
  INSERT INTO sequencer SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM sequencer);
  CREATE TABLE IF NOT EXISTS queues (
    name TEXT PRIMARY KEY, attributes TEXT NOT NULL, created_ms INTEGER NOT NULL, modified_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, message_id TEXT NOT NULL, body TEXT NOT NULL,
    attributes TEXT NOT NULL, group_id TEXT, deduplication_id TEXT, dead_letter_source TEXT,
    sent_ms INTEGER NOT NULL, visible_ms INTEGER NOT NULL, received_ms INTEGER, first_received_ms INTEGER,
    receive_count INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX IF NOT EXISTS messages_visible ON messages (queue, visible_ms, id);
  CREATE INDEX IF NOT EXISTS messages_order ON messages (queue, id);
  CREATE INDEX IF NOT EXISTS messages_group ON messages (queue, group_id, visible_ms) WHERE group_id IS NOT NULL;
  CREATE INDEX IF NOT EXISTS messages_sent ON messages (queue, sent_ms);
  CREATE TABLE IF NOT EXISTS deduplication (
    queue TEXT NOT NULL, deduplication_id TEXT NOT NULL, message_id TEXT NOT NULL, sequence INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL, PRIMARY KEY (queue, deduplication_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS deduplication_expiry ON deduplication (expires_ms);
  CREATE TABLE IF NOT EXISTS secrets (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
`

/** One file for both services, so that an object and its notification are one transaction. */
export const openDatabase = (file: string): Database => {
  const database = new DatabaseSync(file)
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000;')
  database.exec(schema)
  const [begin, commit, rollback] = ['BEGIN IMMEDIATE', 'COMMIT', 'ROLLBACK'].map((sql) => database.prepare(sql))
  return {
    prepare: <Row>(sql: string) => bindRow<Row>(database, sql),
    transaction: (work) => {
      begin?.run()
      try {
        const result = work()
        commit?.run()
        return result
      } catch (error) {
        rollback?.run()
        throw error
      }
    },
    close: () => database.close(),
  }
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
