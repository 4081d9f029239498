import { z } from 'zod'

import { anything, readText, readTold, refuse, type Meaning, type ReadRecord } from './record.ts'

const eventSchema = z.object({
  'detail-type': z.string(),
  account: anything,
  time: anything,
  region: anything,
  detail: z.object({
    version: z.literal('0', { error: 'is not 0' }).optional(),
    bucket: z.object({ name: z.string().min(1) }),
    object: z.object({ key: z.string().min(1), 'version-id': z.string().nullish(), sequencer: anything }),
    reason: anything,
    'deletion-type': anything,
  }),
})

/** What is not about an object's coming or going need not name one: calls that CloudTrail saw, say. */
const otherSchema = z.object({ 'detail-type': z.string() })

/**
 * Reads an event of S3 by EventBridge; a replayed one differs in nothing that is read. Keys stand here as they are.
 * Source: Amazon S3 User Guide, "Amazon S3 event notification content for EventBridge".
 */
export const readS3Event = (raw: unknown): ReadRecord => {
  const parsed = eventSchema.safeParse(raw)
  if (!parsed.success) return readOther(raw) ?? refuse(raw, parsed.error)
  const { 'detail-type': eventName, account, time, region, detail } = parsed.data
  return readTold(raw, {
    meaning: explain(eventName, detail),
    eventName,
    bucket: detail.bucket.name,
    key: detail.object.key,
    versionId: detail.object['version-id'],
    sequencer: detail.object.sequencer,
    time,
    region,
    account,
  })
}

type Detail = z.infer<typeof eventSchema>['detail']

const explain = (detailType: string, { reason, 'deletion-type': deletion }: Detail): Meaning => {
  if (detailType === 'Object Created') return { kind: 'created' }
  if (detailType !== 'Object Deleted') return { kind: 'other' }
  const kind = readText(reason)?.startsWith('Lifecycle') ? 'expired' : 'deleted'
  return deletion === 'Delete Marker Created' ? { kind, removal: 'marker' } : { kind }
}

const readOther = (raw: unknown): ReadRecord | undefined => {
  const eventName = otherSchema.safeParse(raw).data?.['detail-type']
  if (eventName === undefined || eventName === 'Object Created' || eventName === 'Object Deleted') return undefined
  return readTold(raw, { meaning: { kind: 'other' }, eventName, bucket: '', key: '', time: undefined })
}
