import { makeKey, type ObjectKey } from '#shared/domain/keys.ts'
import type { Purpose } from '#shared/domain/purposes.ts'

export const bucket = 'my-images'

/** A key of ours; each `name` gives another. */
export const keyOf = (purpose: Purpose, name: number, userId = 'user-1'): ObjectKey => {
  const id = name.toString(16).padStart(32, '0')
  const made = makeKey({ purpose, userId, id, now: new Date('2025-01-01T00:00:00Z') })
  if (!made.ok) throw new Error(made.code)
  return made.facts.key
}

/** A key as S3 writes it into messages to SQS: form-encoded. */
export const formEncoded = (key: string) => encodeURIComponent(key).replaceAll('%2F', '/').replaceAll('%20', '+')

export type RecordChanges = { bucket?: string; object?: object; [field: string]: unknown }

/** One record as S3 writes it; `changes` replace fields, those of `object` in s3.object. */
export const s3Record = (key: string, { bucket: name = bucket, object = {}, ...changes }: RecordChanges = {}) => ({
  eventVersion: '2.1',
  eventSource: 'aws:s3',
  awsRegion: 'eu-central-1',
  eventTime: '2025-01-01T12:00:00.000Z',
  eventName: 'ObjectCreated:Put',
  userIdentity: { principalId: 'AWS:AIDAEXAMPLE' },
  requestParameters: { sourceIPAddress: '203.0.113.7' },
  responseElements: { 'x-amz-request-id': 'C3D13FE58DE4C810', 'x-amz-id-2': 'FMyUVURIY8/IgAtTv8xRjskZQpcIZ9KG' },
  s3: {
    s3SchemaVersion: '1.0',
    configurationId: 'scan-images',
    bucket: { name, ownerIdentity: { principalId: 'A3NL1KOZZKExample' }, arn: `arn:aws:s3:::${name}` },
    object: {
      key: formEncoded(key),
      size: 1024,
      eTag: 'd41d8cd98f00b204e9800998ecf8427e',
      sequencer: '0055AED6DCD90281E5',
      ...object,
    },
  },
  ...changes,
})

export const notificationOf = (...records: unknown[]) => JSON.stringify({ Records: records })

export const removal = { eventName: 'ObjectRemoved:Delete' }

export const testEvent = JSON.stringify({
  Service: 'Amazon S3',
  Event: 's3:TestEvent',
  Time: '2025-01-01T12:00:00.000Z',
  Bucket: bucket,
  RequestId: '5582815E1AEA5ADF',
  HostId: '8cLeGAmw098X5cv4Zkwcmo8vvZa3eH3eKxsPzbB9wrR+YstdA6Knx4Ip8EXAMPLE',
})

/** A message as SNS delivers it when the subscription is not raw. */
export const inSns = (message: string, changes: object = {}) =>
  JSON.stringify({
    Type: 'Notification',
    MessageId: '22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324',
    TopicArn: 'arn:aws:sns:eu-central-1:123456789012:image-uploads',
    Subject: 'Amazon S3 Notification',
    Message: message,
    Timestamp: '2025-01-01T12:00:00.123Z',
    SignatureVersion: '1',
    Signature:
      'EXAMPLEpH+DcEwjAPg8O9mY8dReBSwksfg2S7WKQcikcNKWLQjwu6A4VbeS0QHVCkhRS7fUQvi2egU3N858fiTDN6bkkOxYDVrY0Ad8L10Hs3zH81m==',
    SigningCertURL: 'https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem',
    UnsubscribeURL:
      'https://sns.eu-central-1.amazonaws.com/?Action=Unsubscribe&SubscriptionArn=arn:aws:sns:eu-central-1:1:t:1',
    ...changes,
  })

export type EventChanges = { detail?: object; object?: object; [field: string]: unknown }

/** S3's event as EventBridge hands it on; `changes` replace fields, those of `detail` and `object` in there. */
export const s3Event = (key: string, { detail = {}, object = {}, ...changes }: EventChanges = {}) => ({
  version: '0',
  id: '17793124-05d4-b198-2fde-7ededc63b103',
  'detail-type': 'Object Created',
  source: 'aws.s3',
  account: '123456789012',
  time: '2025-01-01T12:00:00Z',
  region: 'eu-central-1',
  resources: [`arn:aws:s3:::${bucket}`],
  detail: {
    version: '0',
    'event-version': '1.2',
    bucket: { name: bucket },
    object: {
      key,
      size: 1024,
      etag: 'd41d8cd98f00b204e9800998ecf8427e',
      sequencer: '00617F08299329D189',
      ...object,
    },
    'request-id': 'N4N7GDK58NMKJ12R',
    requester: '123456789012',
    'source-ip-address': '203.0.113.7',
    reason: 'PutObject',
    ...detail,
  },
  ...changes,
})

/** What EventBridge says of a removal. */
export const eventRemoval = (reason = 'DeleteObject', deletion = 'Permanently Deleted', object: object = {}) => ({
  'detail-type': 'Object Deleted',
  detail: { reason, 'deletion-type': deletion },
  object: { size: undefined, ...object },
})

export const r2Message = (key: string, changes: object = {}) => ({
  account: '3f4b7e3dcab231cbfdaa90a6a28bd548',
  action: 'PutObject',
  bucket,
  object: { key, size: 65_536, eTag: 'c846ff7a18f28c2e262116d6e8719ef0' },
  eventTime: '2025-01-01T12:00:00.000Z',
  ...changes,
})
