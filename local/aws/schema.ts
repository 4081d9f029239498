// AUTOINCREMENT, because a message's id is in its receipt handle and must never come back.
const first = `
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

// A key has many versions, the newest has the highest sequence; a version without a blob is a delete marker.
// The order of the primary key is that of a listing.
const versions = `
  ALTER TABLE buckets ADD COLUMN versioning TEXT;
  ALTER TABLE objects RENAME TO unversioned_objects;
  CREATE TABLE objects (
    bucket TEXT NOT NULL, key TEXT NOT NULL, sequence INTEGER NOT NULL, version TEXT NOT NULL,
    blob TEXT, size INTEGER NOT NULL, etag TEXT NOT NULL, headers TEXT NOT NULL, checksums TEXT NOT NULL,
    modified_ms INTEGER NOT NULL,
    PRIMARY KEY (bucket, key, sequence DESC)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO objects
    SELECT bucket, key, 0, 'null', blob, size, etag, headers, checksums, modified_ms FROM unversioned_objects;
  DROP TABLE unversioned_objects;
  CREATE UNIQUE INDEX objects_version ON objects (bucket, key, version);
`

/**
 * Each step makes the next schema out of the one before; `PRAGMA user_version` counts those that a file has had. A step
 * that was ever released never changes. The first may find its tables there: files older than the count say 0.
 */
export const schemaSteps: readonly string[] = [first, versions]
