import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import fc from 'fast-check'

import { parseNotification } from '../../../services/upload-watcher/notification.ts'
import { chosenSeed } from '../../support/random.ts'
import { checkMutations, checkReading } from './notification-mutations.ts'
import { eventRemoval, inSns, notificationOf, r2Message, removal, s3Event, s3Record } from './notifications.ts'

suite('whatever a message holds', () => {
  test('reading it never throws', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json(),
      fc.jsonValue().map((value) => notificationOf(value)),
      fc.jsonValue().map((value) => inSns(JSON.stringify(value))),
      fc.jsonValue().map((detail) => JSON.stringify({ ...s3Event('a'), detail })),
    )
    fc.assert(
      fc.property(text, (body) => void checkReading(body)),
      { numRuns: 2_000 },
    )
  })

  const seed = chosenSeed()
  test(`reading a valid message with changes never throws, and half of them are still read (seed ${seed})`, () => {
    checkMutations(20_000, seed)
  })

  const key = 'scans/20250101/user-1/0123456789abcdef0123456789abcdef'
  const messages = [
    { Records: [s3Record(key), s3Record('a b', removal)] },
    s3Event(key),
    s3Event('a+b', eventRemoval()),
    r2Message(key),
  ]

  type Writing = (value: unknown) => string
  const reverse = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(reverse)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value)
        .reverse()
        .map(([name, inner]) => [name, reverse(inner)]),
    )
  }
  const escape = (text: string) => `\\u${text.charCodeAt(0).toString(16).padStart(4, '0')}`
  const escaped = (value: unknown) =>
    JSON.stringify(value).replaceAll(/"[^"]*"/g, (text) => text.replaceAll(/[^"]/g, escape))
  const writings: Record<string, Writing> = {
    'with spaces': (value) => JSON.stringify(value, null, 4),
    'with its fields in another order': (value) => JSON.stringify(reverse(value)),
    'with every letter escaped': escaped,
    'behind a byte order mark': (value) => `\ufeff${JSON.stringify(value)}`,
    'in an SNS envelope': (value) => inSns(JSON.stringify(value)),
  }
  for (const [what, write] of Object.entries(writings)) {
    test(`a message says the same when it is written ${what}`, () => {
      for (const message of messages) {
        const [plain, other] = [JSON.stringify(message), write(message)].map(parseNotification)
        assert.deepEqual(records(other), records(plain))
      }
    })
  }

  const records = (notification?: ReturnType<typeof parseNotification>) => {
    assert.ok(notification?.kind === 'records')
    return notification.records.map((read) => (read.ok ? read.record : read.reason))
  }
})
