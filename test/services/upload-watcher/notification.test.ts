import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import fc from 'fast-check'

import { parseNotification, type NotificationRecord } from '../../../services/upload-watcher/notification.ts'
import { bucket, notificationOf, s3Record, testEvent, type RecordChanges } from './notifications.ts'

const key = 'scans/20250101/user-1/0123456789abcdef0123456789abcdef'

const readAll = (body: string) => {
  const notification = parseNotification(body)
  assert.ok(notification.kind === 'records', notification.kind)
  return notification.records
}
const readOne = (body: string): NotificationRecord => {
  const [read] = readAll(body)
  assert.ok(read?.ok, read && !read.ok ? read.reason : '')
  return read.record
}
const refusal = (body: string): string => {
  const [read] = readAll(body)
  assert.ok(read && !read.ok)
  return read.reason
}
const read = (changes: RecordChanges) => readOne(notificationOf(s3Record(key, changes)))

suite('a notification', () => {
  test('of S3 tells kind, place and version of an object, and nothing else is believed', () => {
    assert.deepEqual(read({}), {
      kind: 'created',
      eventName: 'ObjectCreated:Put',
      bucket,
      key,
      sequencer: '0055AED6DCD90281E5',
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

  for (const version of ['3.0', '1.0', '2', '2.x', '', '22.1', 'v2.1', 2.1, null]) {
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
    'ObjectRestore:Completed': 'other',
    'ObjectTagging:Put': 'other',
    ReducedRedundancyLostObject: 'other',
    'Replication:OperationFailedReplication': 'other',
    ObjectCreatedSomehow: 'other',
  }
  for (const [eventName, kind] of Object.entries(kinds)) {
    test(`${eventName} is ${kind}`, () => {
      const record = read({ eventName })
      assert.deepEqual([record.kind, record.eventName], [kind, eventName.replace('s3:', '')])
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

  for (const sequencer of [undefined, null, '']) {
    test(`a sequencer that is ${JSON.stringify(sequencer)} is none`, () => {
      assert.ok(!('sequencer' in read({ object: { sequencer } })))
    })
  }

  const incomplete: Record<string, [unknown, RegExp]> = {
    'no name of the event': [s3Record(key, { eventName: undefined }), /eventName/],
    'no time': [s3Record(key, { eventTime: undefined }), /eventTime/],
    'an impossible time': [s3Record(key, { eventTime: '2025-02-30T12:00:00Z' }), /eventTime/],
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
      ['a', bad, 'b', null],
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
    'JSON with a byte order mark': `\ufeff${notificationOf(s3Record(key))}`,
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

  test('is read or refused however deeply a record is nested', () => {
    assert.match(refusal(`{"Records":[${deep('[', ']')}]}`), /form/)
    assert.match(refusal(`{"Records":[${deep('{"s3":', '}').replace(':}', ':1}')}]}`), /eventVersion/)
    const inside = notificationOf(s3Record(key, { addedLater: 'here', object: { addedLater: 'here' } }))
    assert.equal(readOne(inside.replaceAll('"here"', deep('[', ']'))).key, key)
  })
})

suite('whatever a message holds', () => {
  /** Every answer has the promised form, and what is read can be used. */
  const check = (body: string): boolean => {
    const notification = parseNotification(body)
    if (notification.kind !== 'records') return false
    const ends = notification.records.map((read) => {
      if (!read.ok) {
        assert.ok(read.reason.length > 0)
        return false
      }
      const { key, bucket: name, eventTime, kind, versionId, sequencer } = read.record
      assert.ok(key.length > 0 && name.length > 0 && versionId !== '' && sequencer !== '')
      assert.ok(['created', 'deleted', 'expired', 'other'].includes(kind))
      assert.ok(eventTime.toISOString().length > 0)
      return true
    })
    return ends.includes(true)
  }

  test('reading it never throws', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json(),
      fc.jsonValue().map((value) => notificationOf(value)),
    )
    fc.assert(
      fc.property(text, (body) => void check(body)),
      { numRuns: 2000 },
    )
  })

  type Json = Record<string, unknown>
  const isObject = (value: unknown): value is Json =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
  const pathsOf = (value: unknown, path: readonly string[] = []): (readonly string[])[] =>
    isObject(value)
      ? [path, ...Object.entries(value).flatMap(([name, inner]) => pathsOf(inner, [...path, name]))]
      : [path]
  const change = (value: unknown, [name, ...rest]: readonly string[], replace: (old: unknown) => unknown): unknown =>
    name === undefined || !isObject(value) ? replace(value) : { ...value, [name]: change(value[name], rest, replace) }

  const paths = pathsOf(s3Record(key)).slice(1)
  const mutation = fc.record({
    path: fc.constantFrom(...paths),
    how: fc.oneof(
      fc.jsonValue().map((value) => () => value),
      fc.constant(() => undefined),
      fc.jsonValue().map((value) => (old: unknown) => (isObject(old) ? { ...old, addedLater: value } : old)),
      fc.string({ unit: 'binary' }).map((text) => (old: unknown) => (typeof old === 'string' ? old + text : old)),
    ),
  })

  test('reading a valid message with changes never throws, and half of them are still read', () => {
    let readable = 0
    const runs = 3000
    const body = (mutations: readonly { path: readonly string[]; how: (old: unknown) => unknown }[]) =>
      notificationOf(mutations.reduce<unknown>((record, { path, how }) => change(record, path, how), s3Record(key)))
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 2 }), (mutations) => {
        if (check(body(mutations))) readable++
      }),
      { numRuns: runs },
    )
    assert.ok(readable > runs / 2, `${readable} of ${runs} were read`)
  })

  test('reading a valid message with other bytes never throws', () => {
    const bytes = Buffer.from(notificationOf(s3Record(key)))
    const edits = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { maxLength: 4 })
    fc.assert(
      fc.property(edits, (changes) => {
        const changed = Buffer.from(bytes)
        for (const [at, byte] of changes) changed[at] = byte
        check(changed.toString())
      }),
      { numRuns: 2000 },
    )
  })
})
