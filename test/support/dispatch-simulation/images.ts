import { announceRemoval, announceVerdict } from '#shared/domain/announce.ts'
import { eventRecord } from '#shared/domain/events.ts'
import { makeKey } from '#shared/domain/keys.ts'
import { dayMs } from '#shared/domain/purposes.ts'

const place = { bucket: 'images', cdnBaseUrl: 'https://cdn.example.com' }
const image = { kind: 'image', type: 'image/jpeg', width: 64, height: 48, animated: false } as const
const users = 1_000

export const beginMs = Date.parse('2025-03-01T00:00:00Z')
/** Uploads follow each other by a second, or more closely: all of them are made within ten days. */
const longestMs = 10 * dayMs

/** The scans of one simulation. Their events are made when they are read: a million of them would not find room. */
export const planImages = (scans: number) => {
  const gapMs = Math.min(1_000, longestMs / scans)
  const uploadedMs = (index: number) => beginMs + Math.floor(index * gapMs)

  const factsOf = (index: number) => {
    const parts = {
      purpose: 'scan',
      userId: `user-${index % users}`,
      id: index.toString(16).padStart(32, '0'),
    } as const
    const made = makeKey({ ...parts, now: new Date(uploadedMs(index)) })
    if (!made.ok) throw new Error('the simulation makes no such users')
    return made.facts
  }
  const writeUploaded = (index: number) => {
    const facts = factsOf(index)
    const lastModified = new Date(uploadedMs(index))
    const object = { key: facts.key, size: 1000, contentType: 'image/jpeg', etag: 'abc', lastModified, metadata: {} }
    return eventRecord(announceVerdict(place, facts, object, { kind: 'accepted', image }))
  }
  const writeDeleted = (index: number) => {
    const facts = factsOf(index)
    const eventTime = new Date(uploadedMs(index) + 1_000)
    const removal = { bucket: place.bucket, key: facts.key, sequencer: '1', eventTime }
    return eventRecord(announceRemoval(facts, removal, 'deleted'))
  }
  return { uploadedMs, writeUploaded, writeDeleted }
}

export type Images = ReturnType<typeof planImages>
