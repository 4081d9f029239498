import assert from 'node:assert/strict'
import test from 'node:test'

import { handleRemoval } from '../../../infra/invalidator/handle.ts'
import { announceRemoval } from '#shared/domain/announce.ts'
import { parseKey } from '#shared/domain/keys.ts'
import type { LogRecord } from '#shared/ports/event-log.ts'

const key = 'chat/20260101/user-1_2f/0123456789abcdef0123456789abcdef'
const deleted = () => {
  const parsed = parseKey(key)
  assert.ok(parsed.ok)
  const removal = { bucket: 'images', key: parsed.facts.key, eventTime: new Date(0), sequencer: '0A' }
  return announceRemoval(parsed.facts, removal, 'deleted')
}

const handle = async (topic: string, value: string) => {
  const taken: string[] = []
  const take = (path: string) => {
    taken.push(path)
    return Promise.resolve(undefined)
  }
  const record: LogRecord = { topic, partition: 0, offset: '0', key, value, headers: {}, appendedAt: new Date(0) }
  const outcome = await handleRemoval({ take })(record, { signal: new AbortController().signal, attempt: 1 })
  return { outcome, taken }
}

test("a removed image's path is taken out of the caches", async () => {
  const { outcome, taken } = await handle('image.deleted', JSON.stringify(deleted()))
  assert.deepEqual([outcome.kind, taken], ['done', [`/${key}`]])
})

test('so is that of a rejected one', async () => {
  const event = {
    ...deleted(),
    type: 'image.rejected',
    data: {
      bucket: 'images',
      key,
      purpose: 'chat',
      user_id: 'user-1/',
      size: 1,
      etag: '0',
      uploaded_at: '2026-01-01T00:00:00.000Z',
      declared_type: 'image/png',
      reason: 'not_an_image',
      detail: 'This is nothing.',
    },
  }
  const { outcome, taken } = await handle('image.rejected', JSON.stringify(event))
  assert.deepEqual([outcome.kind, taken], ['done', [`/${key}`]])
})

const foreign = (other: string) => {
  const event = deleted()
  return JSON.stringify({ ...event, data: { ...event.data, key: other } })
}
const unreadable: [string, string, string][] = [
  ['no JSON', 'image.deleted', '{'],
  ['an event of another kind', 'image.rejected', JSON.stringify(deleted())],
  ['an event of another topic', 'image.uploaded', JSON.stringify(deleted())],
  ['a path with a star', 'image.deleted', foreign('*')],
  ['a key that would be markup', 'image.deleted', foreign('scans/20260101/</Path>/0123456789abcdef0123456789abcdef')],
]
for (const [what, topic, value] of unreadable) {
  test(`${what} is rejected and costs no path`, async () => {
    const { outcome, taken } = await handle(topic, value)
    assert.deepEqual([outcome.kind, taken], ['reject', []])
  })
}
