import { z } from 'zod'

import { anything, readTold, refuse, type Meaning, type ReadRecord } from './record.ts'

const messageSchema = z.object({
  action: z.string(),
  account: anything,
  bucket: z.string().min(1),
  object: z.object({ key: z.string().min(1) }),
  eventTime: anything,
})

const meanings: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  ['PutObject', { kind: 'created' }],
  ['CopyObject', { kind: 'created' }],
  ['CompleteMultipartUpload', { kind: 'created' }],
  ['DeleteObject', { kind: 'deleted' }],
  ['LifecycleDeletion', { kind: 'expired' }],
])

/**
 * Reads a message of R2, which a Worker has passed on from its queue. Keys stand here as they are.
 * Source: Cloudflare R2 docs, "Event notifications".
 */
export const readR2Message = (raw: unknown): ReadRecord => {
  const parsed = messageSchema.safeParse(raw)
  if (!parsed.success) return refuse(raw, parsed.error)
  const { action: eventName, account, bucket, object, eventTime: time } = parsed.data
  const meaning = meanings.get(eventName) ?? { kind: 'other' }
  return readTold(raw, { meaning, eventName, bucket, key: object.key, time, account })
}
