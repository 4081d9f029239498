import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { readOne, unreadable } from './notification-reading.ts'
import { bucket, notificationOf, r2Message } from './notifications.ts'

/**
 * Messages as other stores write them, of an upload and of a removal. Sources: the stores' own code (MinIO
 * cmd/event-notification.go, Ceph src/rgw/rgw_pubsub.cc, LocalStack services/s3/notifications.py, ministack services/s3.py,
 * moto s3/notifications.py) and the manuals of NetApp StorageGRID, CTyun and Cloudflare R2.
 */

const key = 'chat/20250101/user-1/0123456789abcdef0123456789abcdef'
const version = 'd4a41bcf-5b29-4d0c-9a6b-5f3e2d1c0b9a'

type Fields = { [name: string]: unknown }
const record = (fields: Fields, name: Fields, object: Fields): Fields => ({
  eventVersion: '2.1',
  eventSource: 'aws:s3',
  eventTime: '2025-01-01T12:00:00.123Z',
  ...fields,
  s3: { s3SchemaVersion: '1.0', configurationId: 'c', bucket: { name: bucket, ...name }, object: { key, ...object } },
})

type Store = {
  upload: string
  removal: string
  /** What they tell beside their kind, bucket and key. */
  tells: { upload?: Fields; removal?: Fields }
}

const minio = (eventName: string, object: Fields, fields: Fields = {}) =>
  JSON.stringify({
    EventName: eventName,
    Key: `${bucket}/${key}`,
    Records: [
      record(
        { eventVersion: '2.0', eventSource: 'minio:s3', awsRegion: '', eventName, ...fields },
        { ownerIdentity: { principalId: 'minioadmin' }, arn: `arn:aws:s3:::${bucket}` },
        { key: encodeURIComponent(key), ...object },
      ),
    ],
  })

const ceph = (eventName: string, object: Fields) =>
  notificationOf({
    ...record(
      { eventSource: 'ceph:s3', awsRegion: 'zonegroup1', eventTime: '2025-01-01T12:00:00.123456Z', eventName },
      { ownerIdentity: { principalId: 'tester' }, arn: `arn:aws:s3:zonegroup1::${bucket}`, id: '503a4c37.5332.38' },
      { size: '1024', metadata: [{ key: 'x-amz-meta-a', val: 'b' }], tags: [], ...object },
    ),
    eventId: '1575221657.102001.80dad3aad8584778352c68ab06250327',
    opaqueData: 'me@example.com',
  })

const localStack = (eventName: string, object: Fields = {}) =>
  notificationOf(
    record(
      { awsRegion: 'eu-central-1', eventName },
      { ownerIdentity: { principalId: 'A3NL1KOZZKExample' } },
      { sequencer: '0055AED6DCD90281E5', ...object },
    ),
  )

const ministack = (eventName: string, object: Fields) =>
  notificationOf(
    record(
      { eventVersion: '2.6', awsRegion: 'eu-central-1', eventTime: '2025-01-01T12:00:00.123Z', eventName },
      { ownerIdentity: { principalId: 'EXAMPLE' } },
      { size: 0, eTag: '', ...object },
    ),
  )

const moto = (eventName: string) =>
  notificationOf(
    record(
      { awsRegion: 'eu-central-1', eventTime: '2025-01-01T12:00:00.123456', eventName },
      {},
      { size: 4, eTag: '8d777f385d3dfec8815d20f7496026dc' },
    ),
  )

const motoEvent = (detailType: string, reason: string) =>
  JSON.stringify({
    version: '0',
    id: '17793124-05d4-b198-2fde-7ededc63b103',
    'detail-type': detailType,
    source: 'aws.s3',
    account: '123456789012',
    time: 1735732800.123,
    region: 'eu-central-1',
    resources: [`arn:aws:s3:::${bucket}`],
    detail: {
      version: '0',
      bucket: { name: bucket },
      object: { key, size: 4, eTag: 'd41d8', 'version-id': null, sequencer: '617f08299329d189' },
      reason,
    },
  })

const storageGrid = (eventName: string) =>
  notificationOf(
    record(
      { eventVersion: '2.0', eventSource: 'sgws:s3', eventTime: '2025-01-01T12:00:00Z', eventName },
      { ownerIdentity: { principalId: '55555555555555555' }, arn: `urn:sgws:s3:::${bucket}` },
      { sequencer: '14B4AAC3A2D4DCE7' },
    ),
  )

const ctyun = (eventName: string) =>
  notificationOf(
    record({ eventSource: 'ctyun:s3', awsRegion: 'cn', eventTime: '2025-01-01 12:00:00.123456Z', eventName }, {}, {}),
  )

const stores: Record<string, Store> = {
  MinIO: {
    upload: minio('s3:ObjectCreated:Put', {
      size: 4,
      eTag: '5fc7298143efe127',
      versionId: '',
      sequencer: '18A1B2C3D4E5F607',
    }),
    removal: minio('s3:ObjectRemoved:Delete', { sequencer: '18A1B2C3D4E5F608' }),
    tells: { upload: { sequencer: '18A1B2C3D4E5F607', owner: 'minioadmin' }, removal: { removal: 'object' } },
  },
  'MinIO with versions': {
    upload: minio('s3:ObjectCreated:CompleteMultipartUpload', { versionId: version, eTag: '5fc7298143efe127-1' }),
    removal: minio('s3:ObjectRemoved:DeleteMarkerCreated', { versionId: version, sequencer: '18A1B2C3D4E5F608' }),
    tells: { upload: { versionId: version }, removal: { removal: 'marker', versionId: version } },
  },
  "MinIO's lifecycle": {
    upload: minio('s3:ObjectCreated:Copy', {}),
    removal: minio('s3:ObjectRemoved:Delete', {}, { source: { host: 'node-1', userAgent: 'Internal: [ILM-Expiry]' } }),
    tells: { removal: { kind: 'expired', removal: 'object' } },
  },
  "MinIO's lifecycle, earlier": {
    upload: minio('s3:ObjectCreated:Post', {}),
    removal: minio(
      's3:ObjectRemoved:DeleteAllVersions',
      { versionId: version },
      { source: { host: 'Internal: [ILM-EXPIRY]' } },
    ),
    tells: { removal: { kind: 'expired', removal: 'object', versionId: version } },
  },
  Ceph: {
    upload: ceph('ObjectCreated:Put', { eTag: '37b51d194a7513e4', versionId: '', sequencer: 'F7E6D75DC742D108' }),
    removal: ceph('ObjectRemoved:Delete', { versionId: '', sequencer: 'F7E6D75DC742D109' }),
    tells: { upload: { sequencer: 'F7E6D75DC742D108', region: 'zonegroup1' }, removal: { removal: 'object' } },
  },
  'Ceph, Nautilus': {
    upload: ceph('s3:ObjectCreated:Put', { sequencer: 'F7E6D75DC742D108' }),
    removal: ceph('s3:ObjectRemoved:DeleteMarkerCreated', { versionId: 'bRTY', sequencer: 'F7E6D75DC742D109' }),
    tells: { removal: { removal: 'marker', versionId: 'bRTY' } },
  },
  "Ceph's lifecycle": {
    upload: ceph('ObjectCreated:CompleteMultipartUpload', {}),
    removal: ceph('ObjectLifecycle:Expiration:Current', { versionId: '' }),
    tells: { removal: { kind: 'expired', removal: 'object' } },
  },
  "Ceph's lifecycle of old versions": {
    upload: ceph('ObjectCreated:Copy', { versionId: 'bRTY' }),
    removal: ceph('ObjectLifecycle:Expiration:Noncurrent', { versionId: 'bRTY' }),
    tells: { removal: { kind: 'expired', removal: 'version', versionId: 'bRTY' } },
  },
  LocalStack: {
    upload: localStack('ObjectCreated:Put', { size: 4, eTag: '"8d777f385d3dfec8815d20f7496026dc"' }),
    removal: localStack('ObjectRemoved:Delete'),
    tells: { upload: { sequencer: '0055AED6DCD90281E5' }, removal: { removal: 'object' } },
  },
  ministack: {
    upload: ministack('ObjectCreated:Put', { size: 4, sequencer: '0000063B1F0AD81B00' }),
    removal: ministack('ObjectRemoved:Delete', { sequencer: '0000063B1F0AD81B01' }),
    tells: { upload: { sequencer: '0000063B1F0AD81B00' }, removal: { removal: 'object' } },
  },
  'ministack with versions': {
    upload: ministack('ObjectCreated:Put', { versionId: version }),
    removal: ministack('ObjectRemoved:Delete', { versionId: version }),
    tells: { upload: { versionId: version }, removal: { removal: 'version', versionId: version } },
  },
  moto: {
    upload: moto('ObjectCreated:Put'),
    removal: moto('ObjectRemoved:Delete'),
    tells: { upload: { eventTime: new Date('2025-01-01T12:00:00.123Z') }, removal: { removal: 'object' } },
  },
  "moto's EventBridge": {
    upload: motoEvent('Object Created', 'ObjectCreated'),
    removal: motoEvent('Object Deleted', 'LifecycleExpiration'),
    tells: {
      upload: { eventTime: new Date('2025-01-01T12:00:00.123Z'), sequencer: '617F08299329D189' },
      removal: { kind: 'expired', removal: 'object' },
    },
  },
  StorageGRID: {
    upload: storageGrid('ObjectCreated:Put'),
    removal: storageGrid('ObjectRemoved:Delete'),
    tells: { upload: { owner: '55555555555555555', region: undefined }, removal: { removal: 'object' } },
  },
  CTyun: {
    upload: ctyun('s3:ObjectCreated:Put'),
    removal: ctyun('s3:ObjectRemoved:Delete'),
    tells: { upload: { eventTime: new Date('2025-01-01T12:00:00.123Z') }, removal: { sequencer: undefined } },
  },
  R2: {
    upload: JSON.stringify(r2Message(key, { action: 'CompleteMultipartUpload' })),
    removal: JSON.stringify(r2Message(key, { action: 'DeleteObject', object: { key } })),
    tells: { upload: { account: '3f4b7e3dcab231cbfdaa90a6a28bd548' }, removal: { removal: 'object' } },
  },
  "R2's lifecycle": {
    upload: JSON.stringify(r2Message(key, { action: 'CopyObject', copySource: { bucket, object: 'a' } })),
    removal: JSON.stringify(r2Message(key, { action: 'LifecycleDeletion', object: { key } })),
    tells: { removal: { kind: 'expired', removal: 'object' } },
  },
}

suite('a notification of', () => {
  for (const [name, { upload, removal, tells }] of Object.entries(stores)) {
    test(`${name} tells an upload and a removal`, () => {
      for (const [body, expected] of [
        [upload, { kind: 'created', bucket, key, ...tells.upload }],
        [removal, { kind: 'deleted', bucket, key, ...tells.removal }],
      ] as const) {
        const told: Fields = { ...readOne(body) }
        assert.deepEqual(Object.fromEntries(Object.keys(expected).map((field) => [field, told[field]])), expected)
      }
    })
  }

  const passedOver: [store: string, body: string][] = [
    ...['PutTagging', 'DeleteTagging', 'PutRetention', 'PutLegalHold'].map((event): [string, string] => [
      'MinIO',
      minio(`s3:ObjectCreated:${event}`, {}),
    ]),
    ['MinIO', minio('s3:ObjectRemoved:NoOP', {})],
    ['MinIO', minio('s3:ObjectAccessed:Get', {})],
    ['MinIO', minio('s3:LifecycleDelMarkerExpiration:Delete', { versionId: version })],
    ['Ceph', ceph('ObjectLifecycle:Expiration:DeleteMarker', { versionId: 'bRTY' })],
    ['Ceph', ceph('ObjectLifecycle:Expiration:AbortMPU', {})],
    ['Ceph', ceph('ObjectLifecycle:Transition:Current', {})],
    ['Ceph', ceph('ObjectSynced:Create', {})],
    ['R2', JSON.stringify(r2Message(key, { action: 'AbortMultipartUpload' }))],
  ]
  for (const [store, body] of passedOver) {
    const record = readOne(body)
    test(`${store} that something else happened (${record.eventName}) is of another kind`, () => {
      assert.equal(record.kind, 'other')
    })
  }

  test("SeaweedFS's filer is not S3's: it is unreadable", () => {
    assert.match(unreadable('\n\u0010scans\u0012\u000ba\u0018\u0001"\u0004/etc'), /is not JSON/)
  })

  test('R2 has its keys as they are', () => {
    assert.equal(readOne(JSON.stringify(r2Message('a+b%20c'))).key, 'a+b%20c')
  })
})
