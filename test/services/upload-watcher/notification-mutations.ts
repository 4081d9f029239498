import assert from 'node:assert/strict'

import fc from 'fast-check'

import {
  parseNotification,
  type NotificationRecord,
  type ReadRecord,
} from '../../../services/upload-watcher/notification.ts'
import { eventRemoval, inSns, r2Message, removal, s3Event, s3Record, testEvent } from './notifications.ts'

const key = 'scans/20250101/user-1/0123456789abcdef0123456789abcdef'
const marker = { eventName: 's3:ObjectRemoved:DeleteMarkerCreated', object: { versionId: '096fKKXTRTtl3on89' } }

/** Valid messages of every form. */
const trees: readonly object[] = [
  { Records: [s3Record(key)] },
  { Records: [s3Record(key, removal), s3Record(key, marker), s3Record('chat/a b+c')] },
  { EventName: 's3:ObjectCreated:Put', Key: key, Records: [s3Record(key, { eventVersion: '2.0' })] },
  s3Event(key),
  s3Event(key, { ...eventRemoval('Lifecycle Expiration', 'Delete Marker Created'), 'replay-name': 'again' }),
  r2Message(key),
  // Of our own making.
  JSON.parse(testEvent) as object,
]

const asItIs = (text: string) => text
const envelopes: readonly ((text: string) => string)[] = [asItIs, asItIs, inSns, (text) => inSns(inSns(text))]

type Change = (old: unknown) => unknown
type Path = readonly string[]

const isNode = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

const pathsOf = (value: unknown, path: Path = []): Path[] =>
  isNode(value) ? [path, ...Object.entries(value).flatMap(([name, inner]) => pathsOf(inner, [...path, name]))] : [path]

/** Where an earlier change has taken the path away, its last place there is changed. */
const changeAt = (value: unknown, [name, ...rest]: Path, change: Change): unknown => {
  if (name === undefined || !isNode(value) || !Object.hasOwn(value, name)) return change(value)
  const changed = changeAt(value[name], rest, change)
  return Array.isArray(value) ? value.with(Number(name), changed) : { ...value, [name]: changed }
}

const extend = (name: string, value: unknown) => (old: unknown) =>
  isNode(old) && !Array.isArray(old) ? { ...old, [name]: value } : old

/** Stand for what JSON.stringify doesn't write: lists so deep in each other, and a number too large. */
const [deepMark, hugeMark, hugeNumber] = ['nested lists', 'a huge number', '1e400']
const writeMarks = (text: string, levels: number) =>
  text.replaceAll(`"${deepMark}"`, '['.repeat(levels) + ']'.repeat(levels)).replaceAll(`"${hugeMark}"`, hugeNumber)

const junk = fc.oneof(
  { weight: 6, arbitrary: fc.jsonValue({ maxDepth: 2 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(deepMark, hugeMark, '', 'null', '__proto__', '\ud800', '\uffff', '%', 0, -0),
  },
)
const names = fc.oneof(
  { weight: 3, arbitrary: fc.string({ maxLength: 8 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('__proto__', 'constructor', 'addedLater', 'toString', 'Type', 'Event', 'action'),
  },
)

const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 2, arbitrary: junk.map((value) => () => value) },
  { weight: 1, arbitrary: fc.constant(() => undefined) },
  { weight: 3, arbitrary: fc.tuple(names, junk).map(([name, value]) => extend(name, value)) },
  {
    weight: 2,
    arbitrary: fc.string({ unit: 'binary', maxLength: 20 }).map((text) => (old: unknown) => {
      return typeof old === 'string' ? old + text : old
    }),
  },
  {
    weight: 1,
    arbitrary: fc.constant((old: unknown) => (typeof old === 'string' ? Number(old) : JSON.stringify(old))),
  },
)

/** Changes of the written text: what lies between nothing and another byte. */
const rewrite: fc.Arbitrary<(text: string) => string> = fc.oneof(
  { weight: 20, arbitrary: fc.constant(asItIs) },
  { weight: 1, arbitrary: fc.constant((text: string) => `\ufeff${text}`) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(2, 262_144).map((spaces) => (text: string) => `\n${text}\r${' '.repeat(spaces)}`),
  },
  { weight: 1, arbitrary: names.map((name) => (text: string) => text.replace('{', `{${JSON.stringify(name)}:1,`)) },
  { weight: 1, arbitrary: fc.double({ min: 0, max: 1, noNaN: true }).map((part) => (text: string) => cut(text, part)) },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.nat(), fc.nat(255)).map(([at, byte]) => (text: string) => {
      const bytes = Buffer.from(text)
      bytes[at % bytes.length] = byte
      return bytes.toString()
    }),
  },
)
const cut = (text: string, part: number) => text.slice(0, Math.floor(text.length * part))

const places = trees.map((tree) => ({ tree, paths: pathsOf(tree).slice(1) }))
const changes = fc.array(fc.tuple(fc.nat(), change), { minLength: 1, maxLength: 2 })

/** Valid messages with one or two changes, in any envelope. */
const mutated: fc.Arbitrary<string> = fc
  .tuple(fc.constantFrom(...places), changes, fc.constantFrom(...envelopes), rewrite, fc.constantFrom(1, 1_000))
  .map(([{ tree, paths }, made, envelope, rewritten, levels]) => {
    const changed = made.reduce<unknown>(
      (value, [at, how]) => changeAt(value, paths[at % paths.length] ?? [], how),
      tree,
    )
    return rewritten(envelope(writeMarks(JSON.stringify(changed), levels)))
  })

const alone = (read: ReadRecord) => (read.ok ? read.record : 'refused')

/** What a quarantine keeps of a record reads again as that record. */
const checkRaw = (read: ReadRecord) => {
  const again = parseNotification(JSON.stringify(read.raw))
  assert.ok(again.kind === 'records')
  assert.deepEqual(again.records.map(alone), [alone(read)])
}

const checkRecord = (read: ReadRecord) => {
  if (read.ok) checkFields(read.record)
  else assert.ok(read.reason.length > 0)
}

const checkFields = (record: NotificationRecord) => {
  assert.ok(record.eventName.length > 0 || record.kind === 'other')
  assert.ok(record.kind === 'other' || (record.key.length > 0 && record.bucket.length > 0))
  for (const value of Object.values(record)) assert.notEqual(value, undefined)
  const optional = [record.versionId, record.sequencer, record.region, record.account, record.owner]
  assert.ok(!optional.includes(''))
  if (record.kind === 'created' || record.kind === 'other') record.eventTime?.toISOString()
  else assert.ok(record.eventTime.toISOString() && (record.removal !== 'object' || record.versionId === undefined))
}

/** Reads a message and checks the answer. Says whether there was anything to read. */
export const checkReading = (body: string): boolean => {
  const notification = parseNotification(body)
  switch (notification.kind) {
    case 'test':
      return true
    case 'unreadable':
      assert.ok(notification.reason.length > 10)
      return false
    case 'records':
      assert.ok(notification.records.length > 0)
      notification.records.forEach(checkRecord)
      // JSON.stringify writes null for a number that is too large.
      if (!body.includes(hugeNumber)) notification.records.forEach(checkRaw)
      return notification.records.some(({ ok }) => ok)
    default:
      return notification satisfies never
  }
}

/** Reads so many messages that were valid before they were changed: no throw, no answer that breaks a promise, half of them read. */
export const checkMutations = (numRuns: number, seed: number) => {
  let readable = 0
  fc.assert(
    fc.property(mutated, (body) => {
      if (checkReading(body)) readable++
    }),
    { numRuns, seed },
  )
  assert.ok(readable >= numRuns / 2, `${readable} of ${numRuns} were read`)
  return readable
}
