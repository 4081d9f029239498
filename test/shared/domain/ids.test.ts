import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import test from 'node:test'

import { jobGroup, jobId, objectEventId, removalEventId } from '#shared/domain/ids.ts'
import { makeKey } from '#shared/domain/keys.ts'

const made = makeKey({ purpose: 'scan', userId: 'u', id: 'a'.repeat(32), now: new Date('2026-01-01') })
assert.ok(made.ok)
const { key } = made.facts
const state = { bucket: 'images', key, etag: 'e1', lastModified: new Date('2026-01-01T10:00:00Z') }
const removal = { bucket: 'images', key, eventTime: new Date('2026-01-01T10:00:00.123Z') }

const digest = (...lines: string[]) => createHash('sha256').update(lines.join('\n')).digest('hex').slice(0, 32)

test('a job id is the first 32 hex digits of SHA-256 over "job", bucket and key, a line each', () => {
  assert.equal(jobId('images', key), digest('job', 'images', key))
})

test('without a version an event id is made of etag and time', () => {
  const expected = digest('image.uploaded', 'images', key, 'e1', '2026-01-01T10:00:00.000Z')
  assert.equal(objectEventId('image.uploaded', state), expected)
  assert.equal(objectEventId('image.uploaded', { ...state, versionId: 'null' }), expected)
})

test('with a version an event id is made of the version alone', () => {
  const versioned = { ...state, versionId: 'v1' }
  assert.equal(objectEventId('image.uploaded', versioned), digest('image.uploaded', 'images', key, 'v1'))
  assert.equal(
    objectEventId('image.uploaded', { ...versioned, etag: 'e2' }),
    objectEventId('image.uploaded', versioned),
  )
})

test('type, bucket, etag and time each change an event id', () => {
  const ids = [
    objectEventId('image.uploaded', state),
    objectEventId('image.rejected', state),
    objectEventId('image.uploaded', { ...state, bucket: 'other' }),
    objectEventId('image.uploaded', { ...state, etag: 'e2' }),
    objectEventId('image.uploaded', { ...state, lastModified: new Date('2026-01-01T10:00:01Z') }),
  ]
  assert.equal(new Set(ids).size, ids.length)
})

test('a removal is known by its version, else by its sequencer, else by its time', () => {
  const byVersion = removalEventId('image.deleted', { ...removal, versionId: 'v1', sequencer: '0A' })
  assert.equal(byVersion, digest('image.deleted', 'images', key, 'v1'))
  assert.equal(
    removalEventId('image.deleted', { ...removal, sequencer: '0A' }),
    digest('image.deleted', 'images', key, '0A'),
  )
  assert.equal(
    removalEventId('image.deleted', removal),
    digest('image.deleted', 'images', key, '2026-01-01T10:00:00.123Z'),
  )
})

test("one user's jobs spread over exactly four groups, that no other user has", () => {
  const groups = (user: string) => new Set(Array.from({ length: 200 }, (_, n) => jobGroup(user, digest(String(n)))))
  const mine = groups('user-1')
  assert.equal(mine.size, 4)
  assert.equal(mine.intersection(groups('user-2')).size, 0)
  for (const group of mine) assert.match(group, /^[0-9a-f]{32}-[0-3]$/)
})
