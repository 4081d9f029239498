import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'

import { HeadObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3'

import { openDatabase } from '../../../local/aws/database.ts'
import { openTestAws, region } from './support.ts'
import { Bucket, drain, drainShort } from './told.ts'
import { listAll, put, read, setVersioning } from './versions.ts'

// The schema of the first release, as it was written then.
const firstSchema = `
  CREATE TABLE buckets (
    name TEXT PRIMARY KEY, created_ms INTEGER NOT NULL,
    notifications TEXT NOT NULL DEFAULT '[]', cors TEXT, lifecycle TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE objects (
    bucket TEXT NOT NULL, key TEXT NOT NULL, blob TEXT NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL,
    headers TEXT NOT NULL, checksums TEXT NOT NULL, modified_ms INTEGER NOT NULL,
    PRIMARY KEY (bucket, key)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE sequencer (value INTEGER NOT NULL) STRICT;
  CREATE TABLE queues (
    name TEXT PRIMARY KEY, attributes TEXT NOT NULL, created_ms INTEGER NOT NULL, modified_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, message_id TEXT NOT NULL, body TEXT NOT NULL,
    attributes TEXT NOT NULL, group_id TEXT, deduplication_id TEXT, dead_letter_source TEXT,
    sent_ms INTEGER NOT NULL, visible_ms INTEGER NOT NULL, received_ms INTEGER, first_received_ms INTEGER,
    receive_count INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE TABLE deduplication (
    queue TEXT NOT NULL, deduplication_id TEXT NOT NULL, message_id TEXT NOT NULL, sequence INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL, PRIMARY KEY (queue, deduplication_id)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE secrets (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
`
const rule = {
  id: 'all',
  queueArn: `arn:aws:sqs:${region}:000000000000:uploads`,
  events: ['s3:ObjectCreated:*'],
  prefix: '',
  suffix: '',
}
const bodies = { 'scans/a': 'the first', 'scans/b': 'the second' }

const temporary = async (context: TestContext) => {
  const directory = await mkdtemp(join(tmpdir(), 'local-aws-'))
  context.after(() => rm(directory, { recursive: true, force: true }))
  return directory
}

/** A directory as the first release left it: two objects, a rule, a queue with a message in it. */
const writeFirstRelease = async (directory: string) => {
  const database = new DatabaseSync(join(directory, 'aws.sqlite'))
  database.exec(`PRAGMA journal_mode = WAL; ${firstSchema}`)
  database.prepare('INSERT INTO buckets VALUES (?, 1, ?, NULL, NULL)').run(Bucket, JSON.stringify([rule]))
  await mkdir(join(directory, 'blobs'))
  for (const [key, body] of Object.entries(bodies)) {
    const blob = Buffer.from(key).toString('hex')
    await writeFile(join(directory, 'blobs', blob), body)
    database
      .prepare('INSERT INTO objects VALUES (?, ?, ?, ?, ?, ?, ?, 86400000)')
      .run(Bucket, key, blob, body.length, '"e"', '{"content-type":"image/png"}', '{}')
  }
  database.exec('INSERT INTO sequencer VALUES (41)')
  database.exec(
    `INSERT INTO queues VALUES ('uploads', '{"VisibilityTimeout":"30","MessageRetentionPeriod":"345600"}', 1, 1)`,
  )
  database
    .prepare(
      "INSERT INTO messages (queue, message_id, body, attributes, sent_ms, visible_ms) VALUES ('uploads', 'm', '{}', '{}', ?, 0)",
    )
    .run(Date.now())
  database.close()
}

test('a directory of the first release opens with all that it held, and then keeps versions', async (context) => {
  const directory = await temporary(context)
  await writeFirstRelease(directory)
  const { s3, sqs, restart } = await openTestAws(context, { directory })
  const queue = { sqs, QueueUrl: 'http://127.0.0.1/000000000000/uploads' }
  for (const opened of ['at the first start', 'at the second']) {
    for (const [key, body] of Object.entries(bodies)) assert.equal(await read(s3, key), body, opened)
    await restart()
  }
  const { ContentType, LastModified, ETag } = await s3.send(new HeadObjectCommand({ Bucket, Key: 'scans/a' }))
  assert.deepEqual([ContentType, LastModified?.getTime(), ETag], ['image/png', 86_400_000, '"e"'])
  assert.deepEqual(
    (await s3.send(new ListObjectsV2Command({ Bucket }))).Contents?.map(({ Key }) => Key),
    Object.keys(bodies),
  )
  assert.deepEqual(await drain(queue), [{}])

  await s3.send(new PutObjectCommand({ Bucket, Key: 'scans/b', Body: 'replaced' }))
  await setVersioning(s3, 'Enabled')
  const { VersionId } = await put(s3, 'scans/a', 'newer')
  assert.deepEqual(await listAll(s3), [
    { key: 'scans/a', version: VersionId, isLatest: true, marker: false },
    { key: 'scans/a', version: 'null', isLatest: false, marker: false },
    { key: 'scans/b', version: 'null', isLatest: true, marker: false },
  ])
  assert.deepEqual([await read(s3, 'scans/a', 'null'), await read(s3, 'scans/b')], ['the first', 'replaced'])
  assert.equal((await drainShort(queue)).length, 2)
})

test('a migration that breaks off leaves the directory as it was', async (context) => {
  const directory = await temporary(context)
  await writeFirstRelease(directory)
  const file = join(directory, 'aws.sqlite')
  const inTheWay = new DatabaseSync(file)
  inTheWay.exec('CREATE TABLE unversioned_objects (x)')
  assert.throws(() => openDatabase(file), /unversioned_objects/)
  inTheWay.exec('DROP TABLE unversioned_objects')
  inTheWay.close()
  const { s3 } = await openTestAws(context, { directory })
  assert.equal(await read(s3, 'scans/a'), 'the first')
})

test('a directory of a newer release is refused with a sentence', async (context) => {
  const file = join(await temporary(context), 'aws.sqlite')
  const newer = new DatabaseSync(file)
  newer.exec('PRAGMA user_version = 99')
  newer.close()
  assert.throws(() => openDatabase(file), /aws\.sqlite was written by a newer release/)
})
