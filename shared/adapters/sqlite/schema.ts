export const schemaVersion = 1
/** Marks the file as ours, https://www.sqlite.org/pragma.html#pragma_application_id ("iilg"). */
export const applicationId = 0x69696c67

/**
 * A record's id is its offset: one rising row of numbers for all topics, so that every partition rises with gaps and a
 * reader of many topics meets them in the order of their appends. AUTOINCREMENT: an id is never used again.
 * `positions.owner` is the member that may commit; a commit by any other changes no row.
 */
export const createSchema = `
  CREATE TABLE topics (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    partitions INTEGER NOT NULL,
    retention_days REAL NOT NULL
  ) STRICT;
  CREATE TABLE records (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    topic INTEGER NOT NULL,
    partition INTEGER NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    headers TEXT NOT NULL,
    appended_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX records_by_partition ON records (topic, partition);
  CREATE TABLE members (
    id TEXT NOT NULL UNIQUE,
    group_name TEXT NOT NULL,
    topics TEXT NOT NULL,
    machine TEXT NOT NULL,
    pid INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE positions (
    group_name TEXT NOT NULL,
    topic INTEGER NOT NULL,
    partition INTEGER NOT NULL,
    committed INTEGER NOT NULL,
    owner TEXT,
    PRIMARY KEY (group_name, topic, partition)
  ) STRICT, WITHOUT ROWID;
  PRAGMA application_id = ${applicationId};
  PRAGMA user_version = ${schemaVersion};
`
