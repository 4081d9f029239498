import assert from 'node:assert/strict'
import test from 'node:test'

import { makeKey } from '#shared/domain/keys.ts'
import type { ListedObject } from '#shared/domain/reconcile.ts'
import { verdictKey, type VerdictRecord } from '#shared/domain/verdict.ts'
import { OutageError, RefusalError, SetupError } from '#shared/ports/failures.ts'
import type { ObjectStore } from '#shared/ports/object-store.ts'

import {
  describeReconcile,
  readReconcileOrder,
  reconcile,
  type ReconcileOrder,
  type ReconcileTally,
} from '../../tools/support/reconcile.ts'
import { UsageError } from '../../tools/support/run-tool.ts'
import { fakeMessageQueue } from '../support/fakes/message-queue.ts'
import { fakeObjectStore } from '../support/fakes/object-store.ts'

const given = (values: Record<string, string | boolean> = {}, positionals: string[] = []) => ({
  values: { 'min-age-minutes': '5', ...values },
  positionals,
})

test('the arguments become an order', () => {
  assert.deepEqual(readReconcileOrder(given()), { minAgeMinutes: 5, dryRun: false })
  const values = { since: '2026-01-01', purpose: 'chat', 'min-age-minutes': '0', 'dry-run': true }
  assert.deepEqual(readReconcileOrder(given(values)), {
    since: new Date('2026-01-01T00:00:00Z'),
    purpose: 'chat',
    minAgeMinutes: 0,
    dryRun: true,
  })
  const { since } = readReconcileOrder(given({ since: '2026-01-01T12:00:00+02:00' }))
  assert.equal(since?.toISOString(), '2026-01-01T10:00:00.000Z')
})

const wrong: [string, ReturnType<typeof given>, RegExp][] = [
  ['a word too many', given({}, ['scan']), /^scan is not understood$/],
  ...['scans', '', 'constructor'].map((purpose): [string, ReturnType<typeof given>, RegExp] => [
    `--purpose ${JSON.stringify(purpose)}`,
    given({ purpose }),
    /is none of scan, profile, chat$/,
  ]),
  ...['yesterday', '', '2026-02-30', '2026-01-01T12:00'].map((since): [string, ReturnType<typeof given>, RegExp] => [
    `--since ${JSON.stringify(since)}`,
    given({ since }),
    /is no date such as 2030-01-01 or /,
  ]),
  ...['-1', '1.5', '', 'ten', '12345678'].map((minutes): [string, ReturnType<typeof given>, RegExp] => [
    `--min-age-minutes ${JSON.stringify(minutes)}`,
    given({ 'min-age-minutes': minutes }),
    /is not a whole number of at least 0$/,
  ]),
]

for (const [what, arguments_, message] of wrong) {
  test(`${what} is refused with what would be right`, () => {
    assert.throws(
      () => readReconcileOrder(arguments_),
      (error) => error instanceof UsageError && message.test(error.message),
    )
  })
}

const now = new Date('2026-01-10T00:00:00Z')
const keyOf = (index: number) => {
  const id = index.toString(16).padStart(32, '0')
  const made = makeKey({ purpose: 'scan', userId: 'u', id, now })
  assert.ok(made.ok)
  return made.facts.key
}
const listed = (index: number, changes: Partial<ListedObject> = {}): ListedObject => ({
  key: keyOf(index),
  etag: `e${index}`,
  size: 1,
  lastModified: new Date('2026-01-09T00:00:00Z'),
  ...changes,
})
const verdictOn = ({ etag, lastModified }: ListedObject): VerdictRecord => ({
  verdict: 'accepted',
  event_id: 'x',
  etag,
  size: 1,
  content_type: 'image/jpeg',
  uploaded_at: lastModified.toISOString(),
})

const open = (objects: readonly ListedObject[], judged: readonly ListedObject[] = []) => {
  const states = fakeObjectStore()
  for (const object of judged) {
    const key = `verdicts/${object.key}`
    states.upload({ key, bytes: Buffer.from(JSON.stringify(verdictOn(object))) })
  }
  const uploads = fakeMessageQueue()
  const failures: string[] = []
  const run = (
    order: Partial<ReconcileOrder> = {},
    { readStart = states.store.readStart }: Partial<Pick<ObjectStore, 'readStart'>> = {},
  ) =>
    reconcile(
      {
        objects: list(objects),
        states: { readStart },
        uploads: uploads.queue,
        place: { bucket: 'images', region: 'eu-central-1' },
        onProgress: () => undefined,
        onFailure: (key, error) => failures.push(`${key} ${String(error)}`),
      },
      { minAgeMinutes: 5, dryRun: false, ...order },
      now,
    )
  const sentKeys = () => uploads.messages.map(({ body }) => /"key":"([^"]+)"/.exec(body)?.[1]).sort()
  return { states, uploads, failures, run, sentKeys }
}

const list = async function* (objects: readonly ListedObject[]) {
  for (const object of objects) yield await Promise.resolve(object)
}

const none: ReconcileTally = { seen: 0, foreign: 0, early: 0, young: 0, judged: 0, sent: 0, failed: 0 }

test('of a mixed bucket those without a verdict are sent, each once', async () => {
  const objects = [
    listed(1),
    listed(2),
    listed(3),
    listed(4, { lastModified: now }),
    listed(5, { lastModified: new Date(0) }),
    listed(6, { key: 'logo.png' }),
  ]
  const { run, sentKeys } = open(objects, [listed(1), listed(2, { etag: 'another' })])
  const tally = await run({ since: new Date('2026-01-01') })
  assert.deepEqual(tally, { ...none, seen: 6, judged: 1, sent: 2, young: 1, early: 1, foreign: 1 })
  assert.deepEqual(sentKeys(), [keyOf(2), keyOf(3)])
})

test('a verdict that can not be read is none', async () => {
  const { states, run } = open([listed(1)])
  states.upload({ key: verdictKey(keyOf(1)), bytes: Buffer.from('{"verdict":') })
  assert.equal((await run()).sent, 1)
})

test('a dry run counts the same and sends nothing', async () => {
  const { uploads, run } = open([listed(1), listed(2)], [listed(1)])
  assert.deepEqual(await run({ dryRun: true }), { ...none, seen: 2, judged: 1, sent: 1 })
  assert.equal(uploads.messages.length, 0)
})

test('an object that fails is told and counted, the rest goes on', async () => {
  const { states, failures, run, sentKeys } = open([listed(1), listed(2), listed(3)])
  states.faults.fail('readStart', new RefusalError('may not be read'))
  assert.deepEqual(await run(), { ...none, seen: 3, sent: 2, failed: 1 })
  assert.deepEqual(failures, [`${keyOf(1)} RefusalError: may not be read`])
  assert.deepEqual(sentKeys(), [keyOf(2), keyOf(3)])
})

test('a short outage of either side fails no object', async () => {
  const { states, uploads, run } = open([listed(1)])
  states.faults.fail('readStart', new OutageError('S3', 'a moment'))
  uploads.faults.fail('send', new OutageError('SQS', 'a moment'))
  assert.deepEqual(await run(), { ...none, seen: 1, sent: 1 })
  assert.equal(uploads.messages.length, 1)
})

test('a wrong set-up ends the run with its reason, not object by object', async () => {
  const { states, failures, run } = open(Array.from({ length: 1000 }, (_, index) => listed(index)))
  states.faults.fail('readStart', new SetupError('no such bucket'), Infinity)
  await assert.rejects(run(), new SetupError('no such bucket'))
  assert.deepEqual(failures, [])
  assert.ok((states.faults.calls.get('readStart') ?? 0) < 100)
})

test('a listing that breaks off rejects after what was in hand is sent', async () => {
  const { uploads, states } = open([])
  const broken = async function* () {
    yield* list([listed(1), listed(2)])
    throw new OutageError('S3', 'gone')
  }
  const deps = { states: states.store, uploads: uploads.queue, place: { bucket: 'images', region: 'r' } }
  const quiet = { onProgress: () => undefined, onFailure: () => undefined }
  const run = reconcile({ ...deps, ...quiet, objects: broken() }, { minAgeMinutes: 5, dryRun: false }, now)
  await assert.rejects(run, OutageError)
  assert.equal(uploads.messages.length, 2)
})

test('at most 16 verdicts are asked for at once, and no fewer when there are more', async () => {
  let [inHand, most] = [0, 0]
  const readStart = async () => {
    most = Math.max(most, ++inHand)
    await new Promise(setImmediate)
    inHand--
    return undefined
  }
  const { run } = open(Array.from({ length: 100 }, (_, index) => listed(index)))
  assert.equal((await run({}, { readStart })).sent, 100)
  assert.equal(most, 16)
})

test('the summary names every count, and what a dry run would do', () => {
  const tally = { seen: 21, judged: 1, young: 2, early: 3, foreign: 4, sent: 5, failed: 6 }
  const order = { minAgeMinutes: 5, dryRun: false, since: new Date('2026-01-01') }
  assert.deepEqual(describeReconcile('images', order, tally), [
    '21 objects seen in images',
    '       1  with verdict',
    '       2  too young: stored less than 5 minutes ago',
    '       3  stored before 2026-01-01T00:00:00.000Z',
    '       4  foreign: their keys are none of ours',
    '       5  sent to be looked at',
    '       6  failed',
  ])
  const dry = describeReconcile('images', { minAgeMinutes: 5, dryRun: true }, tally)
  assert.match(dry.join('\n'), /^ {7}5 {2}would be sent, but this is a dry run$/m)
  assert.doesNotMatch(dry.join('\n'), /stored before/)
})
