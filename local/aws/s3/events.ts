import { randomBytes, randomUUID } from 'node:crypto'

import { encodeKey } from './key-encoding.ts'
import type { NotificationRule } from './notifications.ts'

/** Something that happened to an object; `kind` is S3's event name without `s3:`. */
export type ObjectEvent = {
  kind: string
  bucket: string
  key: string
  /** Only where the bucket has versions. */
  versionId?: string
  /** Only of what was created; the etag is quoted, as in the header. */
  content?: { size?: number; etag: string }
  /** Rises with every event. */
  sequence: number
  timeMs: number
  sourceIp: string
  requestId: string
}

export const ownerId = 'local-owner'
/** Who acts, and from where, when S3 itself does. */
export const serviceName = 's3.amazonaws.com'

/** Source: AWS, "Event message structure": 2.1, and 2.3 for the kinds that came later, such as lifecycle expirations. */
export const describeEvent = (event: ObjectEvent, rule: NotificationRule, region: string): string => {
  const isExpiration = event.kind.startsWith('LifecycleExpiration:')
  const record = {
    eventVersion: isExpiration ? '2.3' : '2.1',
    eventSource: 'aws:s3',
    awsRegion: region,
    eventTime: new Date(event.timeMs).toISOString(),
    eventName: event.kind,
    userIdentity: { principalId: isExpiration ? serviceName : ownerId },
    requestParameters: { sourceIPAddress: event.sourceIp },
    responseElements: { 'x-amz-request-id': event.requestId, 'x-amz-id-2': event.requestId },
    s3: {
      s3SchemaVersion: '1.0',
      configurationId: rule.id,
      bucket: { name: event.bucket, ownerIdentity: { principalId: ownerId }, arn: `arn:aws:s3:::${event.bucket}` },
      object: describeObject(event),
    },
  }
  return JSON.stringify({ Records: [record] })
}

const describeObject = ({ key, content, versionId, sequence }: ObjectEvent) => ({
  key: encodeKey(key),
  ...(content?.size !== undefined && { size: content.size }),
  ...(content && { eTag: content.etag.replaceAll('"', '') }),
  ...(versionId !== undefined && { versionId }),
  // Fixed width, so that it also rises as text.
  sequencer: sequence.toString(16).toUpperCase().padStart(18, '0'),
})

/** What S3 sends to a queue when a notification to it is configured. */
export const describeTestEvent = (bucket: string, timeMs: number): string =>
  JSON.stringify({
    Service: 'Amazon S3',
    Event: 's3:TestEvent',
    Time: new Date(timeMs).toISOString(),
    Bucket: bucket,
    RequestId: newRequestId(),
    HostId: randomUUID(),
  })

export const newRequestId = (): string => randomBytes(8).toString('hex').toUpperCase()
