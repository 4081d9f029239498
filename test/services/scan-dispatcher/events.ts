import assert from 'node:assert/strict'

import { announceRemoval, announceVerdict } from '#shared/domain/announce.ts'
import type { ImageDeleted, ImageUploaded } from '#shared/domain/events.ts'
import { makeKey, type KeyFacts } from '#shared/domain/keys.ts'
import type { Purpose } from '#shared/domain/purposes.ts'
import type { LogRecord } from '#shared/ports/event-log.ts'

const place = { bucket: 'my-images', cdnBaseUrl: 'https://cdn.example.com' }
export const uploadedAt = new Date('2025-01-01T12:00:00Z')
export const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

export const keyFacts = (purpose: Purpose, number: number, now = uploadedAt): KeyFacts => {
  const made = makeKey({ purpose, userId: 'ünï@example.com', id: number.toString(16).padStart(32, '0'), now })
  assert.ok(made.ok)
  return made.facts
}

/** `ticketAt` stands in the key. */
export const uploadedEvent = (
  purpose: Purpose,
  number = 1,
  options: { at?: Date; ticketAt?: Date; etag?: string; versionId?: string } = {},
): ImageUploaded => {
  const { at = uploadedAt, ticketAt = at, etag = 'abc', versionId = 'v1' } = options
  const facts = keyFacts(purpose, number, ticketAt)
  const object = { key: facts.key, size: 1000, contentType: 'image/jpeg', etag, versionId, lastModified: at }
  const image = { kind: 'image', type: 'image/jpeg', width: 64, height: 48, animated: false, orientation: 6 } as const
  const verdict = { kind: 'accepted', image } as const
  const event = announceVerdict(place, facts, { ...object, metadata: { traceparent } }, verdict)
  assert.ok(event.type === 'image.uploaded')
  return event
}

export const deletedEvent = (
  purpose: Purpose,
  number = 1,
  {
    cause = 'deleted',
    at = uploadedAt,
    versionId = 'v1',
  }: { cause?: ImageDeleted['data']['cause']; at?: Date; versionId?: string } = {},
): ImageDeleted => {
  const facts = keyFacts(purpose, number)
  return announceRemoval(facts, { bucket: place.bucket, key: facts.key, versionId, eventTime: at }, cause)
}

export const recordOf = (topic: string, value: string): LogRecord => ({
  topic,
  partition: 0,
  offset: '0',
  key: 'key',
  value,
  headers: {},
  appendedAt: uploadedAt,
})
