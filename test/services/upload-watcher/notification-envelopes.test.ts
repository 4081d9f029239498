import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { parseNotification, type NotificationRecord } from '../../../services/upload-watcher/notification.ts'
import { readAll, readOne, refusal, unreadable } from './notification-reading.ts'
import {
  bucket,
  eventRemoval,
  inSns,
  notificationOf,
  r2Message,
  s3Event,
  s3Record,
  testEvent,
  type EventChanges,
} from './notifications.ts'

const key = 'scans/20250101/user-1/0123456789abcdef0123456789abcdef'
const plain = notificationOf(s3Record(key))
const readEvent = (changes: EventChanges = {}, name = key) => readOne(JSON.stringify(s3Event(name, changes)))

suite('a notification in an SNS envelope', () => {
  test('is read as the same notification without one', () => {
    const many = notificationOf(s3Record('a'), { eventVersion: '3.0' }, s3Record('b+c'), null)
    for (const body of [plain, many, JSON.stringify(s3Event(key)), JSON.stringify(r2Message(key)), testEvent]) {
      assert.deepEqual(parseNotification(inSns(body)), parseNotification(body))
    }
  })

  test('has its keys decoded once', () => {
    const record = s3Record('', { object: { key: 'scans/100%2525+%2B' } })
    assert.equal(readOne(inSns(notificationOf(record))).key, 'scans/100%25 +')
  })

  test('of a FIFO topic, with attributes, is read', () => {
    const body = inSns(plain, { SequenceNumber: '10000000000000003000', MessageAttributes: { a: { Type: 'String' } } })
    assert.equal(readOne(body).key, key)
  })

  test("tells S3's test event", () => assert.deepEqual(parseNotification(inSns(testEvent)), { kind: 'test' }))

  test('may lie in one envelope more, and in no third', () => {
    assert.equal(readOne(inSns(inSns(plain))).key, key)
    assert.match(unreadable(inSns(inSns(inSns(plain)))), /more than 2 SNS envelopes/)
  })

  const problems: [what: string, body: string, reason: RegExp][] = [
    ['a text', inSns('hello'), /inside the SNS envelope is not JSON/],
    ['nothing', inSns(''), /inside the SNS envelope is not JSON/],
    ['a list', inSns('[]'), /inside the SNS envelope is not a JSON object/],
    ['no records', inSns('{"Records":[]}'), /inside the SNS envelope has no record/],
    [
      'an object in place of its message',
      inSns('', { Message: { Records: [s3Record(key)] } }),
      /no notification of SNS/,
    ],
    ['no message', inSns('', { Message: undefined }), /no notification of SNS/],
    ['another type', inSns(plain, { Type: 'notification' }), /no notification of SNS/],
    [
      'the question for a subscription',
      inSns('', { Type: 'SubscriptionConfirmation' }),
      /confirm.*open its SubscribeURL/,
    ],
    ['the end of a subscription', inSns('', { Type: 'UnsubscribeConfirmation' }), /has ended.*restores it/],
  ]
  for (const [what, body, reason] of problems) {
    test(`with ${what} is unreadable, and the reason says so`, () => assert.match(unreadable(body), reason))
  }
})

suite('an event of EventBridge', () => {
  test('tells kind, place and account, and nothing else is believed', () => {
    assert.deepEqual(readEvent(), {
      kind: 'created',
      eventName: 'Object Created',
      bucket,
      key,
      sequencer: '00617F08299329D189',
      region: 'eu-central-1',
      account: '123456789012',
      eventTime: new Date('2025-01-01T12:00:00Z'),
    })
    assert.equal(readEvent({ object: { 'version-id': 'IYV3p45BT0ac8hjHg1houSdS1a.Mro8e' } }).versionId?.length, 32)
  })

  test('that is replayed is read as the first time', () => {
    assert.deepEqual(readEvent({ 'replay-name': 'after-the-outage' }), readEvent())
  })

  for (const reason of ['PutObject', 'POST Object', 'CopyObject', 'CompleteMultipartUpload', undefined]) {
    test(`by ${reason ?? 'an unnamed call'} is an upload`, () => {
      assert.equal(readEvent({ detail: { reason } }).kind, 'created')
    })
  }

  const version = { 'version-id': '1QW9g1Z99LUNbvaaYVpW9xDlOLU.qxgF' }
  const removals: [changes: EventChanges, kind: string, removal: string][] = [
    [eventRemoval(), 'deleted', 'object'],
    [eventRemoval('DeleteObject', 'Permanently Deleted', version), 'deleted', 'version'],
    [eventRemoval('DeleteObject', 'Delete Marker Created', version), 'deleted', 'marker'],
    [eventRemoval('Lifecycle Expiration'), 'expired', 'object'],
    [eventRemoval('Lifecycle Expiration', 'Permanently Deleted', version), 'expired', 'version'],
    [eventRemoval('Lifecycle Expiration', 'Delete Marker Created', version), 'expired', 'marker'],
  ]
  for (const [changes, kind, removal] of removals) {
    test(`${JSON.stringify(changes.detail)} is ${kind}, of the ${removal}`, () => {
      const record = readEvent(changes)
      assert.ok(record.kind === 'deleted' || record.kind === 'expired')
      assert.deepEqual([record.kind, record.removal], [kind, removal])
    })
  }

  for (const detailType of [
    'Object Restore Initiated',
    'Object Restore Completed',
    'Object Restore Expired',
    'Object Storage Class Changed',
    'Object Access Tier Changed',
    'Object ACL Updated',
    'Object Tags Added',
    'Object Tags Deleted',
    'object created',
    'constructor',
  ]) {
    test(`${detailType} is of another kind`, () => {
      const record = readEvent({ 'detail-type': detailType, object: { sequencer: undefined, size: undefined } })
      assert.deepEqual([record.kind, record.eventName, record.key], ['other', detailType, key])
    })
  }

  test('about a call that CloudTrail saw is of another kind, whatever it holds', () => {
    const detailType = 'AWS API Call via CloudTrail'
    const event = { ...s3Event(key), 'detail-type': detailType, detail: { eventName: 'PutObject' } }
    const expected: NotificationRecord = { kind: 'other', eventName: detailType, bucket: '', key: '' }
    assert.deepEqual(readOne(JSON.stringify(event)), expected)
  })

  for (const written of ['scans/a+b', 'scans/a%20b', 'scans/100%', 'scans/%zz', 'scans/%2B', 'scans/ü 🙂', '%', '+']) {
    test(`has the key ${written} as it is`, () => assert.equal(readEvent({}, written).key, written))
  }

  const refused: [what: string, event: object, reason: RegExp][] = [
    ['a later version of S3', s3Event(key, { detail: { version: '1' } }), /detail\.version: is not 0/],
    ['no key', s3Event(key, { object: { key: undefined } }), /detail\.object\.key/],
    ['an empty key', s3Event(''), /detail\.object\.key/],
    ['a version id that is a number', s3Event(key, { object: { 'version-id': 7 } }), /detail\.object\.version-id/],
    ['no bucket', s3Event(key, { detail: { bucket: undefined } }), /detail\.bucket/],
    ['no detail', { ...s3Event(key), detail: undefined }, /detail/],
    ['a removal without a time', s3Event(key, { ...eventRemoval(), time: undefined }), /eventTime/],
  ]
  for (const [what, event, reason] of refused) {
    test(`with ${what} is refused with the field's name`, () => {
      assert.match(refusal(JSON.stringify(event)), reason)
    })
  }

  for (const source of ['aws.ec2', 'com.example', undefined, 7]) {
    test(`of the source ${JSON.stringify(source)} is unreadable, and the reason names it`, () => {
      const reason = unreadable(JSON.stringify({ ...s3Event(key), source }))
      assert.match(reason, typeof source === 'string' ? new RegExp(`"${source}", not of aws\\.s3`) : /unnamed source/)
    })
  }

  test('names a removal by the same sequencer as the notification to SQS', () => {
    const told = s3Record(key, { eventName: 'ObjectRemoved:Delete', object: { sequencer: '00617F08299329D189' } })
    const event = readEvent({ ...eventRemoval(), object: { sequencer: '00617f08299329d189' } })
    assert.equal(event.sequencer, readOne(notificationOf(told)).sequencer)
  })
})

suite('a form', () => {
  test('is told by its records first', () => {
    const both = JSON.stringify({ ...s3Event('event'), ...r2Message('r2'), Records: [s3Record(key)] })
    assert.equal(readOne(both).key, key)
  })

  const deep = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)
  test('is read however deeply what it holds is nested', () => {
    for (const levels of [1_000, 100_000]) {
      const nested = (value: object) => JSON.stringify(value).replaceAll('"here"', deep(levels))
      const event = nested(s3Event(key, { addedLater: 'here', detail: { addedLater: 'here' } }))
      assert.equal(readOne(event).key, key)
      assert.equal(readOne(inSns(event)).key, key)
      assert.equal(readOne(nested(r2Message(key, { addedLater: 'here' }))).key, key)
      assert.match(refusal(nested(s3Event(key, { detail: { object: 'here' } }))), /detail\.object/)
      assert.ok(unreadable(nested({ Records: { 0: 'here' }, Type: 'here', source: 'here', action: 'here' })))
    }
  })

  test('that nobody sends is unreadable', () => {
    for (const body of ['{"Event":"s3:testevent"}', '{"Type":7}', '{"detail-type":null}', '{"action":[]}']) {
      assert.match(unreadable(body), /no list of Records/)
    }
  })

  test('has as many records as it came with', () => {
    const many = Array.from({ length: 1_000 }, (_, index) => (index % 2 === 0 ? s3Record(`a${index}`) : index))
    const read = readAll(inSns(notificationOf(...many)))
    assert.deepEqual(
      read.map((one) => (one.ok ? one.record.key : null)),
      many.map((_, index) => (index % 2 === 0 ? `a${index}` : null)),
    )
  })
})
