import { makeKey } from '#shared/domain/keys.ts'
import type { Purpose } from '#shared/domain/purposes.ts'

export const bucket = 'my-images'

/** A key of ours; each `name` gives another. */
export const keyOf = (purpose: Purpose, name: number, userId = 'user-1'): string => {
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
