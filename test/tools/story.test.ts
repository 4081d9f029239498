import assert from 'node:assert/strict'
import { test } from 'node:test'

import { parseKey } from '#shared/domain/keys.ts'
import type { StoredObject } from '#shared/domain/stored-object.ts'
import type { VerdictRecord } from '#shared/domain/verdict.ts'

import { findKey } from '../../tools/support/find-key.ts'
import { readOrder } from '../../tools/support/redrive.ts'
import { UsageError } from '../../tools/support/run-tool.ts'
import { tellStory, type Found, type ToldEvent } from '../../tools/support/story.ts'

const key = 'scans/20260101/user-1_2f/0f8fad5bd9cb469fa16570867728950e'
const parsed = parseKey(key)
assert.ok(parsed.ok)
const { facts } = parsed
const storedAt = new Date('2026-01-01T12:00:00Z')
const soon = new Date('2026-01-01T12:00:05Z')
const later = new Date('2026-01-01T13:00:00Z')

const object: StoredObject = {
  key,
  size: 48_213,
  contentType: 'image/jpeg',
  etag: 'e1',
  lastModified: storedAt,
  metadata: {},
}
const accepted: VerdictRecord = {
  verdict: 'accepted',
  event_id: 'a'.repeat(32),
  etag: 'e1',
  size: 48_213,
  content_type: 'image/jpeg',
  width: 4032,
  height: 3024,
  uploaded_at: storedAt.toISOString(),
}
const rejected: VerdictRecord = {
  ...accepted,
  verdict: 'rejected',
  reason: 'not_an_image',
  detail: 'This is a PDF sent as image/jpeg.',
}
const event = (type: string, data: Record<string, unknown> = {}): ToldEvent => ({
  type,
  id: 'b'.repeat(32),
  traceparent: undefined,
  data,
  appendedAt: new Date('2026-01-01T12:00:01Z'),
})
const letter = { topic: 'image.uploaded.dead-letter', reason: 'the record is not JSON', since: soon }
const job = { id: 'c'.repeat(32) }
const nothing: Found = { facts, object: undefined, verdict: undefined, events: [], letters: [], job, silent: {} }
const uploaded = event('image.uploaded', { job_id: job.id })
const dispatched = event('scan.dispatched', { job_id: job.id })

const conclusions: readonly [string, Partial<Found>, Date, RegExp][] = [
  ['nothing', {}, later, /^Nothing was ever stored/],
  ['a fresh object', { object }, soon, /^It was stored just now, and nobody/],
  ['an object that nobody looked at', { object }, later, /^Nobody has looked at it: .*npm run reconcile/],
  ['an accepted scan, just now', { object, verdict: accepted, events: [uploaded] }, soon, /its job follows/],
  ['an event without its verdict', { object, events: [uploaded] }, soon, /its job follows/],
  ['a scan that was not sent', { object, verdict: accepted, events: [uploaded] }, later, /not sent.*scan-dispatcher/],
  ['a scan in the queue', { object, verdict: accepted, events: [uploaded, dispatched] }, later, /is in the queue/],
  ['a scan in the ledger', { object, verdict: accepted, job: { ...job, entry: '{}' } }, later, /is in the queue/],
  ['a claimed scan', { object, verdict: accepted, job: { ...job, entry: '', claimed: '' } }, later, /with a worker/],
  [
    'an analyzed scan',
    { object, verdict: accepted, events: [uploaded, event('scan.analyzed')] },
    later,
    /has its result/,
  ],
  ['a cancelled scan', { object, verdict: accepted, job: { ...job, cancelled: '' } }, later, /cancelled/],
  ['a chat image', { object, verdict: accepted, job: undefined }, later, /Nothing more happens/],
  ['a refused file', { object, verdict: rejected }, later, /^It was refused: This is a PDF/],
  ['a refused file without verdict', { object, events: [event('image.rejected')] }, later, /^It was refused/],
  ['a removed refusal', { verdict: { ...rejected, removed: true } }, later, /refused and removed/],
  ['an object that is gone', { verdict: accepted, events: [uploaded] }, later, /^It is gone from the store/],
  ['a deleted image', { events: [uploaded, event('image.deleted', { cause: 'deleted' })] }, later, /^It was deleted/],
  ['an expired image', { events: [event('image.deleted', { cause: 'expired' })] }, later, /^It was kept for as long/],
  ['another object', { object: { ...object, etag: 'e2' }, verdict: accepted }, later, /earlier object/],
  ['a chat image with a job', { object, verdict: accepted, job: { ...job, entry: '' } }, later, /is in the queue/],
  ['an unknown key while S3 is away', { silent: { store: 'no answer' } }, later, /not whole without store: ask again/],
  ['a dead letter', { object, letters: [letter, letter] }, later, /gave up.*: npm run redrive -- image\.uploaded\.$/],
]

for (const [what, found, now, expected] of conclusions) {
  test(`${what} is told as what it is`, () => {
    const last = tellStory({ ...nothing, ...found }, now).at(-1)
    assert.equal(last?.about, 'so')
    assert.match(last.text, expected)
  })
}

test('the way back from the dead letters that a story names is one that the command knows', () => {
  for (const topic of ['image.uploaded.dead-letter', 'image.deleted.dead-letter']) {
    const text = tellStory({ ...nothing, letters: [{ ...letter, topic }] }, later).at(-1)?.text ?? ''
    const [, name = ''] = /npm run redrive -- (\S+)\.$/.exec(text) ?? []
    assert.equal(readOrder({ values: {}, positionals: [name] }).path.from, topic)
  }
})

test('the story says who, what, where and when', () => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const events = [{ ...uploaded, traceparent }]
  const text = tellStory({ ...nothing, object, verdict: rejected, events, letters: [letter] }, later)
    .map(({ about, text }) => `${about}: ${text}`)
    .join('\n')
  for (const part of [
    'key: a scan image of user "user-1/", whose ticket was issued on 2026-01-01',
    'store: 48213 bytes as image/jpeg, stored 2026-01-01T12:00:00.000Z, etag e1, kept until 2026-02-01T00:00:00.000Z',
    'verdict: rejected (not_an_image: This is a PDF sent as image/jpeg.)',
    `event: 2026-01-01T12:00:01.000Z image.uploaded, id ${'b'.repeat(32)}, job_id ${'c'.repeat(32)}`,
    'dead letter: 2026-01-01T12:00:05.000Z in image.uploaded.dead-letter: the record is not JSON',
    `job: ${'c'.repeat(32)}: the ledger knows nothing of it`,
    'trace: 0af7651916cd43dd8448eb211c80319c',
  ]) {
    assert.ok(text.includes(part), `${part}\nis not in\n${text}`)
  }
})

test('a key is found in whatever names it', () => {
  for (const text of [
    key,
    encodeURIComponent(key),
    `https://cdn.example.com/${key}`,
    `http://127.0.0.1:4566/local-images/${key}?X-Amz-Date=1&x-id=PutObject`,
    `https://api.example.com/images/${encodeURIComponent(key)}/metadata`,
    `verdicts/${key}`,
  ]) {
    assert.equal(findKey(text).key, key, text)
  }
  for (const text of ['', 'nothing', 'scans/', 'scans/20261301/u/0', '%', `https://example.com/${key.slice(0, -1)}`]) {
    assert.throws(() => findKey(text), UsageError, text)
  }
})
