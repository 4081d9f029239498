import assert from 'node:assert/strict'
import test from 'node:test'

import { lacksVerdict, sortListed, writeNotification, type ListedObject } from '#shared/domain/reconcile.ts'
import type { VerdictRecord } from '#shared/domain/verdict.ts'
import { makeKey } from '#shared/domain/keys.ts'

import { parseNotification } from '../../../services/upload-watcher/notification.ts'

const minute = 60_000
const stored = new Date('2026-01-01T10:00:00.400Z')
const made = makeKey({ purpose: 'scan', userId: 'user/ü 1', id: 'a'.repeat(32), now: stored })
assert.ok(made.ok)
const { facts } = made
const object: ListedObject = { key: facts.key, etag: 'e1', size: 7, lastModified: stored }
const after = (ms: number) => new Date(stored.getTime() + ms)

const kindOf = (age: number, minAgeMs: number, since?: Date) =>
  sortListed(object, { now: after(age), minAgeMs, ...(since && { since }) }).kind

test('an object is due from its minimum age on', () => {
  assert.equal(kindOf(5 * minute, 5 * minute), 'due')
  assert.equal(kindOf(5 * minute - 1, 5 * minute), 'young')
  assert.equal(kindOf(0, 0), 'due')
})

test('an object of a moment that the own clock has yet to reach is young', () => {
  assert.equal(kindOf(-minute, 0), 'young')
})

test('what was stored before the date is left out, from the very moment on it is not', () => {
  assert.equal(kindOf(minute, 0, after(1)), 'early')
  assert.equal(kindOf(minute, 0, stored), 'due')
})

test('a due object tells what its key says', () => {
  assert.deepEqual(sortListed(object, { now: after(0), minAgeMs: 0 }), { kind: 'due', facts })
})

for (const key of [
  '',
  'scans/',
  'logo.png',
  `scans/20260101/u/${'A'.repeat(32)}`,
  `scans/20260230/u/${'a'.repeat(32)}`,
]) {
  test(`${JSON.stringify(key)} is foreign, however young`, () => {
    assert.equal(sortListed({ ...object, key }, { now: stored, minAgeMs: minute }).kind, 'foreign')
  })
}

const verdict: VerdictRecord = {
  verdict: 'accepted',
  event_id: 'x',
  etag: 'e1',
  size: 7,
  content_type: 'image/jpeg',
  uploaded_at: '2026-01-01T10:00:00.000Z',
}

test('an object has its verdict when that speaks of its etag and its second', () => {
  assert.equal(lacksVerdict(verdict, object), false)
  assert.equal(lacksVerdict({ ...verdict, verdict: 'rejected', version_id: 'v1' }, object), false)
})

test('a time that was rounded up, and an etag that one side does not tell, contradict nothing', () => {
  assert.equal(lacksVerdict({ ...verdict, uploaded_at: '2026-01-01T10:00:01.000Z' }, object), false)
  assert.equal(lacksVerdict(verdict, { ...object, etag: '' }), false)
  assert.equal(lacksVerdict({ ...verdict, etag: '' }, object), false)
})

const lacking: [string, VerdictRecord | undefined][] = [
  ['there is none', undefined],
  ['it is about another etag', { ...verdict, etag: 'e2' }],
  ['the same bytes were put again later', { ...verdict, uploaded_at: '2026-01-01T09:59:59.000Z' }],
  ['the object should have been removed for it', { ...verdict, verdict: 'rejected', removed: true }],
  ['it says that the object is gone', { ...verdict, deleted: { event_id: 'y' } }],
]

for (const [why, found] of lacking) {
  test(`an object lacks its verdict when ${why}`, () => {
    assert.equal(lacksVerdict(found, object), true)
  })
}

test('the upload-watcher reads the notification as that of the stored object, pinned to no version', () => {
  const body = writeNotification({ bucket: 'images', region: 'eu-central-1' }, facts.key, object)
  const read = parseNotification(body)
  assert.ok(read.kind === 'records')
  const [record] = read.records
  assert.ok(record?.ok)
  assert.deepEqual(record.record, {
    kind: 'created',
    eventName: 'ObjectCreated:Put',
    bucket: 'images',
    key: facts.key,
    region: 'eu-central-1',
    eventTime: stored,
  })
})
