import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { parseNotification, type NotificationRecord } from '../../../services/upload-watcher/notification.ts'
import { readAll, readOne, refusal } from './notification-reading.ts'
import { bucket, notificationOf, removal, s3Record, testEvent, type RecordChanges } from './notifications.ts'

const key = 'scans/20250101/user-1/0123456789abcdef0123456789abcdef'

const read = (changes: RecordChanges) => readOne(notificationOf(s3Record(key, changes)))

suite('a notification', () => {
  test('of S3 tells kind, place and version of an object, and nothing else is believed', () => {
    assert.deepEqual(read({}), {
      kind: 'created',
      eventName: 'ObjectCreated:Put',
      bucket,
      key,
      sequencer: '0055AED6DCD90281E5',
      region: 'eu-central-1',
      owner: 'A3NL1KOZZKExample',
      eventTime: new Date('2025-01-01T12:00:00Z'),
    })
    const versioned = read({
      eventName: 'ObjectRemoved:DeleteMarkerCreated',
      object: { versionId: '096fKKXTRTtl3on89' },
    })
    assert.deepEqual([versioned.kind, versioned.versionId], ['deleted', '096fKKXTRTtl3on89'])
  })

  for (const version of ['2.0', '2.1', '2.2', '2.3', '2.4', '2.5', '2.6', '2.17']) {
    test(`of version ${version} is read, whatever fields it adds`, () => {
      const additions = { glacierEventData: { restoreEventData: {} }, addedLater: [1, { x: null }] }
      const record = read({ eventVersion: version, ...additions, object: { addedLater: { y: 1 } } })
      assert.equal(record.key, key)
    })
  }

  for (const version of ['3.0', '1.0', '2', '2.x', '', '22.1', 'v2.1', '2.1.1', '2.1 ', 2.1, null]) {
    test(`of version ${JSON.stringify(version)} is not`, () => {
      const reason = refusal(notificationOf(s3Record(key, { eventVersion: version })))
      assert.match(reason, /eventVersion/)
    })
  }

  const kinds: Record<string, NotificationRecord['kind']> = {
    'ObjectCreated:Put': 'created',
    'ObjectCreated:Post': 'created',
    'ObjectCreated:Copy': 'created',
    'ObjectCreated:CompleteMultipartUpload': 'created',
    's3:ObjectCreated:Put': 'created',
    'ObjectRemoved:Delete': 'deleted',
    'ObjectRemoved:DeleteMarkerCreated': 'deleted',
    's3:ObjectRemoved:Delete': 'deleted',
    'LifecycleExpiration:Delete': 'expired',
    'LifecycleExpiration:DeleteMarkerCreated': 'expired',
    'ObjectRestore:Post': 'other',
    'ObjectRestore:Completed': 'other',
    'ObjectRestore:Delete': 'other',
    'ObjectTagging:Put': 'other',
    'ObjectTagging:Delete': 'other',
    'ObjectAcl:Put': 'other',
    ReducedRedundancyLostObject: 'other',
    'Replication:OperationFailedReplication': 'other',
    IntelligentTiering: 'other',
    LifecycleTransition: 'other',
    ObjectCreatedSomehow: 'other',
    'ObjectCreated:': 'other',
    's3:s3:ObjectCreated:Put': 'other',
  }
  for (const [eventName, kind] of Object.entries(kinds)) {
    test(`${eventName} is ${kind}`, () => {
      const record = read({ eventName })
      assert.deepEqual([record.kind, record.eventName], [kind, eventName.replace('s3:', '')])
    })
  }

  for (const eventName of ['constructor', '__proto__', 'toString']) {
    test(`an event called ${eventName} is of another kind`, () => assert.equal(read({ eventName }).kind, 'other'))
  }

  const removals: [eventName: string, versionId: string | undefined, told: string][] = [
    ['ObjectRemoved:Delete', undefined, 'object'],
    ['ObjectRemoved:Delete', 'null', 'object'],
    ['ObjectRemoved:Delete', '096fKKXTRTtl3on89', 'version'],
    ['ObjectRemoved:DeleteMarkerCreated', '096fKKXTRTtl3on89', 'marker'],
    ['ObjectRemoved:DeleteMarkerCreated', 'null', 'marker'],
    ['LifecycleExpiration:Delete', undefined, 'object'],
    ['LifecycleExpiration:Delete', '096fKKXTRTtl3on89', 'version'],
    ['LifecycleExpiration:DeleteMarkerCreated', '096fKKXTRTtl3on89', 'marker'],
  ]
  for (const [eventName, versionId, told] of removals) {
    test(`${eventName} of version ${versionId ?? 'none'} removes: ${told}`, () => {
      const record = read({ eventName, object: { versionId } })
      assert.ok(record.kind === 'deleted' || record.kind === 'expired')
      assert.deepEqual([record.removal, record.versionId], [told, versionId === 'null' ? undefined : versionId])
    })
  }

  const keys: [written: string, read: string][] = [
    ['scans/a+b', 'scans/a b'],
    ['scans/a%2Bb', 'scans/a+b'],
    ['scans/a%20b', 'scans/a b'],
    ['scans%2Fa%2Fb', 'scans/a/b'],
    ['scans/%C3%BC/%F0%9F%99%82', 'scans/ü/🙂'],
    ['scans/ü raw', 'scans/ü raw'],
    ['scans/100%2525', 'scans/100%25'],
    ['%00', '\0'],
  ]
  for (const [written, decoded] of keys) {
    test(`the key ${written} is decoded once`, () => assert.equal(read({ object: { key: written } }).key, decoded))
  }

  for (const malformed of ['scans/100%', 'scans/%zz', 'scans/%C3', 'scans/%FF']) {
    test(`the key ${malformed} has no reading`, () => {
      assert.match(refusal(notificationOf(s3Record(key, { object: { key: malformed } }))), /key is not form-encoded/)
    })
  }

  for (const versionId of [undefined, null, '', 'null']) {
    test(`a version that is ${JSON.stringify(versionId)} is none`, () => {
      assert.ok(!('versionId' in read({ object: { versionId } })))
    })
  }

  const sequencers: [written: unknown, read: string | undefined][] = [
    [undefined, undefined],
    [null, undefined],
    ['', undefined],
    [{ high: 1 }, undefined],
    ['0055AED6DCD90281E5', '0055AED6DCD90281E5'],
    ['0055aed6dcd90281e5', '0055AED6DCD90281E5'],
    ['17', '17'],
    [17, '17'],
    ['no-hex', 'no-hex'],
  ]
  for (const [written, told] of sequencers) {
    test(`a sequencer that is ${JSON.stringify(written)} is ${told ?? 'none'}`, () => {
      const record = read({ object: { sequencer: written } })
      assert.deepEqual([record.sequencer, 'sequencer' in record], [told, told !== undefined])
    })
  }

  const times: [written: unknown, read: string | undefined][] = [
    ['2025-01-01T12:00:00Z', '2025-01-01T12:00:00.000Z'],
    ['2025-01-01T12:00:00.123456789Z', '2025-01-01T12:00:00.123Z'],
    ['2025-01-01T12:00:00+01:00', '2025-01-01T11:00:00.000Z'],
    ['2025-01-01T12:00:00-0130', '2025-01-01T13:30:00.000Z'],
    ['2025-01-01T12:00:00.123456', '2025-01-01T12:00:00.123Z'],
    ['2025-01-01 12:00:00.032936Z', '2025-01-01T12:00:00.032Z'],
    ['2024-02-29T12:00:00Z', '2024-02-29T12:00:00.000Z'],
    ['2025-02-29T12:00:00Z', undefined],
    ['2025-02-30T12:00:00Z', undefined],
    ['2025-01-01T25:00:00Z', undefined],
    ['2025-01-01T12:00:00+99:00', undefined],
    ['yesterday', undefined],
    ['', undefined],
    ['9999-12-31T23:59:59-01:00', undefined],
    [1735732800.5, '2025-01-01T12:00:00.500Z'],
    [1e12, undefined],
    [1e300, undefined],
    [null, undefined],
    [undefined, undefined],
  ]
  for (const [eventTime, told] of times) {
    test(`the time ${JSON.stringify(eventTime)} is ${told ?? 'none: an upload needs none, a removal does'}`, () => {
      assert.equal(read({ eventTime }).eventTime?.toISOString(), told)
      const removed = notificationOf(s3Record(key, { ...removal, eventTime }))
      if (told === undefined) assert.match(refusal(removed), /eventTime/)
      else assert.equal(readOne(removed).eventTime?.toISOString(), told)
    })
  }

  test('has a time without a zone in UTC, wherever it is read', (context) => {
    const zone = process.env['TZ']
    context.after(() => {
      if (zone === undefined) delete process.env['TZ']
      else process.env['TZ'] = zone
    })
    process.env['TZ'] = 'Asia/Tokyo'
    assert.equal(read({ eventTime: '2025-01-01T12:00:00' }).eventTime?.toISOString(), '2025-01-01T12:00:00.000Z')
  })

  for (const nowhere of [undefined, null, '', 7, {}]) {
    test(`a region and an owner that are ${JSON.stringify(nowhere)} are none`, () => {
      const s3 = { ...s3Record(key).s3, bucket: { name: bucket, ownerIdentity: { principalId: nowhere } } }
      const record = read({ awsRegion: nowhere, s3 })
      assert.ok(!('region' in record) && !('owner' in record))
    })
  }

  test('is read without the fields that nothing is made of', () => {
    const { eventVersion, eventName } = s3Record(key)
    const bare = { eventVersion, eventName, s3: { bucket: { name: bucket }, object: { key } } }
    assert.deepEqual(readOne(notificationOf(bare)), { kind: 'created', eventName, bucket, key })
  })

  const incomplete: Record<string, [unknown, RegExp]> = {
    'no name of the event': [s3Record(key, { eventName: undefined }), /eventName/],
    'a version id that is a number': [s3Record(key, { object: { versionId: 7 } }), /s3\.object\.versionId/],
    'no name of the bucket': [s3Record(key, { bucket: '' }), /s3\.bucket\.name/],
    'no object': [s3Record(key, { s3: { bucket: { name: bucket } } }), /s3\.object/],
    'an empty key': [s3Record(key, { object: { key: '' } }), /s3\.object\.key/],
    'a key that is a number': [s3Record(key, { object: { key: 7 } }), /s3\.object\.key/],
    'nothing in it': [{}, /eventVersion.*s3/],
    'null in its place': [null, /the record's form/],
    'text in its place': ['text', /the record's form/],
  }
  for (const [what, [record, reason]] of Object.entries(incomplete)) {
    test(`a record with ${what} is refused with the field's name`, () => {
      assert.match(refusal(notificationOf(record)), reason)
    })
  }

  test('keeps the order of its records, the bad ones with their raw form among them', () => {
    const bad = { eventVersion: '3.0', anything: ['x'] }
    const records = readAll(notificationOf(s3Record('a'), bad, s3Record('b'), null))
    assert.deepEqual(
      records.map((record) => (record.ok ? record.record.key : record.raw)),
      ['a', { Records: [bad] }, 'b', { Records: [null] }],
    )
  })

  test('S3 sends when it is configured is a test', () => {
    assert.deepEqual(parseNotification(testEvent), { kind: 'test' })
  })

  test('with records is never taken for a test', () => {
    const both = JSON.stringify({ ...JSON.parse(testEvent), Records: [s3Record(key)] })
    assert.equal(parseNotification(both).kind, 'records')
  })

  const deep = (open: string, close: string) => open.repeat(100_000) + close.repeat(100_000)
  const unreadable: Record<string, string> = {
    'an empty text': '',
    'plain text': 'hello',
    'two byte order marks': `\ufeff\ufeff${notificationOf(s3Record(key))}`,
    'a byte order mark alone': '\ufeff',
    'JSON that is cut off': notificationOf(s3Record(key)).slice(0, -3),
    null: 'null',
    'a number': '7',
    'a list': JSON.stringify([s3Record(key)]),
    'an object without records': '{}',
    'no records': '{"Records":[]}',
    'records that are no list': '{"Records":{"0":{}}}',
    'records by inheritance': '{"__proto__":{"Records":[{}]}}',
    binary: Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)).toString('latin1'),
    'lists, 100,000 deep': deep('[', ']'),
    'a MiB of spaces': ' '.repeat(1_048_576),
  }
  for (const [what, body] of Object.entries(unreadable)) {
    test(`${what} is unreadable, with a reason`, () => {
      const notification = parseNotification(body)
      assert.ok(notification.kind === 'unreadable' && notification.reason.length > 10)
    })
  }

  test('is read behind a byte order mark', () => {
    assert.equal(readOne(`\ufeff${notificationOf(s3Record(key))}`).key, key)
  })

  test('that repeats a name says what it says last, as JSON readers have it', () => {
    const body = notificationOf(s3Record(key)).replace('"key":', '"key":"first","key":')
    assert.equal(readOne(body).key, key)
  })

  test('with a name that is no field but a prototype is read by its own fields alone', () => {
    const inherited = notificationOf({ x: s3Record(key) }).replace('"x"', '"__proto__"')
    assert.match(refusal(inherited), /eventVersion/)
    const beside = notificationOf(s3Record(key, { beside: { key: 'other' }, object: { beside: { key: 'other' } } }))
    assert.equal(readOne(beside.replaceAll('"beside"', '"__proto__"')).key, key)
  })

  test('of 256 kB is read', () => {
    const many = Array.from({ length: 450 }, (_, index) => s3Record(`scans/${index}`))
    const body = notificationOf(...many)
    assert.ok(body.length > 256 * 1024)
    assert.equal(readAll(body).filter(({ ok }) => ok).length, 450)
    assert.equal(readOne(notificationOf(s3Record(key, { padding: 'x'.repeat(256 * 1024) }))).key, key)
  })

  test('is read or refused however deeply a record is nested', () => {
    assert.match(refusal(`{"Records":[${deep('[', ']')}]}`), /form/)
    assert.match(refusal(`{"Records":[${deep('{"s3":', '}').replace(':}', ':1}')}]}`), /eventVersion/)
    const inside = notificationOf(s3Record(key, { addedLater: 'here', object: { addedLater: 'here' } }))
    assert.equal(readOne(inside.replaceAll('"here"', deep('[', ']'))).key, key)
  })
})
