import { randomBytes, randomUUID } from 'node:crypto'

import type { NotificationRule } from './notifications.ts'

/** Something that happened to an object; `kind` is S3's event name without `s3:`. */
export type ObjectEvent = {
  kind: string
  bucket: string
  key: string
  /** Only of what was created; the etag is quoted, as in the header. */
  created?: { size: number; etag: string }
  /** Fixed width, so that it also rises as text. */
  sequencer: string
  timeMs: number
  sourceIp: string
  requestId: string
}

const ownerId = 'local-owner'

/** Source: AWS, "Event message structure", version 2.1. */
export const describeEvent = (event: ObjectEvent, rule: NotificationRule, region: string): string =>
  JSON.stringify({
    Records: [
      {
        eventVersion: '2.1',
        eventSource: 'aws:s3',
        awsRegion: region,
        eventTime: new Date(event.timeMs).toISOString(),
        eventName: event.kind,
        userIdentity: { principalId: ownerId },
        requestParameters: { sourceIPAddress: event.sourceIp },
        responseElements: { 'x-amz-request-id': event.requestId, 'x-amz-id-2': event.requestId },
        s3: {
          s3SchemaVersion: '1.0',
          configurationId: rule.id,
          bucket: { name: event.bucket, ownerIdentity: { principalId: ownerId }, arn: `arn:aws:s3:::${event.bucket}` },
          object: {
            key: encodeKey(event.key),
            ...(event.created && { size: event.created.size, eTag: event.created.etag.replaceAll('"', '') }),
            sequencer: event.sequencer,
          },
        },
      },
    ],
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

/** Form encoding with the slashes kept: a space is `+`. */
const encodeKey = (key: string): string =>
  encodeURIComponent(key)
    .replaceAll('%2F', '/')
    .replaceAll('%20', '+')
    .replace(/[!'()~]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
