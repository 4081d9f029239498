import { hash } from 'node:crypto'

/** A message as SQS hands it out. */
export type StubMessage = {
  MessageId: string
  ReceiptHandle: string
  MD5OfBody: string
  Body: string
  Attributes: Record<string, string>
}

const purposes = ['scans/20260101', 'profiles', 'chat/20260101']

/** The message that S3 sends for the upload of that number: of its own key, and as long as those of AWS. */
export const writeNotification = (bucket: string, number: number): StubMessage => {
  const id = number.toString(16).padStart(32, '0')
  const key = `${purposes[number % purposes.length]}/user-${number % 50}/${id}`
  const Body = JSON.stringify({ Records: [writeRecord(bucket, key, id)] })
  return {
    MessageId: `${id.slice(0, 8)}-${id.slice(8, 12)}-${id.slice(12, 16)}-${id.slice(16, 20)}-${id.slice(20)}`,
    ReceiptHandle: `AQEB${id}${'wJalrXUtnFEMIK7MDENG+bPxRfiCY/EXAMPLE'.repeat(8)}`,
    MD5OfBody: hash('md5', Body),
    Body,
    Attributes: { ApproximateReceiveCount: '1', SentTimestamp: '1767225600000' },
  }
}

/** Source: Amazon S3 User Guide, "Event message structure". */
const writeRecord = (bucket: string, key: string, id: string) => ({
  eventVersion: '2.1',
  eventSource: 'aws:s3',
  awsRegion: 'eu-central-1',
  eventTime: '2026-01-01T00:00:00.000Z',
  eventName: 'ObjectCreated:Put',
  userIdentity: { principalId: 'AWS:AIDAJDPLRKLG7UEXAMPLE' },
  requestParameters: { sourceIPAddress: '203.0.113.7' },
  responseElements: {
    'x-amz-request-id': 'C3D13FE58DE4C810',
    'x-amz-id-2': 'FMyUVURIY8/IgAtTv8xRjskZQpcIZ9KG4V5Wp6S7S/JRWeUWerMUE5JgHvANOjpD',
  },
  s3: {
    s3SchemaVersion: '1.0',
    configurationId: 'scan-images',
    bucket: { name: bucket, ownerIdentity: { principalId: 'A3NL1KOZZKExample' }, arn: `arn:aws:s3:::${bucket}` },
    object: { key, size: 204_800, eTag: 'd41d8cd98f00b204e9800998ecf8427e', sequencer: id.slice(14) },
  },
})
