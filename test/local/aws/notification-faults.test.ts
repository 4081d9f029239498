import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'

import { DeleteMessageCommand, GetQueueAttributesCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs'
import fc from 'fast-check'

import {
  describeFaults,
  type FaultSettings,
  openFaults,
  parseFaults,
} from '../../../local/aws/s3/notification-faults.ts'
import { drainRecords, openTold } from './told.ts'
import { put } from './versions.ts'

const keys = Array.from({ length: 30 }, (_, index) => `scans/${index}`)

/** A service whose clock stands still until it is moved, with every key put at one moment. */
const openWithFaults = async (context: TestContext, notificationFaults: Partial<FaultSettings>) => {
  let nowMs = Date.now()
  const told = await openTold(context, { notificationFaults, now: () => nowMs })
  for (const key of keys) await put(told.s3, key)
  const drainKeys = async () => (await drainRecords(told)).map(({ s3 }) => s3.object.key)
  return Object.assign(told, { pass: (ms: number) => (nowMs += ms), drainKeys })
}
const sorted = (texts: readonly string[]) => [...texts].sort()

test('without faults every notification comes at once, once and in order', async (context) => {
  const { drainKeys } = await openWithFaults(context, {})
  assert.deepEqual(await drainKeys(), keys)
})

test('a delayed notification waits in the queue, also over a restart, and keeps its order', async (context) => {
  const { sqs, QueueUrl, pass, drainKeys, restart } = await openWithFaults(context, { seed: 3, maxDelayMs: 60_000 })
  const attributes = async () =>
    (await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }))).Attributes
  assert.partialDeepStrictEqual(await attributes(), {
    ApproximateNumberOfMessages: '0',
    ApproximateNumberOfMessagesDelayed: String(keys.length),
  })
  await restart()
  const seen: string[] = []
  for (let second = 0; second <= 60; second += 10) {
    seen.push(...(await drainKeys()))
    if (second === 0) assert.deepEqual(seen, [])
    pass(10_000)
  }
  assert.deepEqual(seen, keys)
})

test('notifications come out of order, and the same seed gives the same order', async (context) => {
  const orderOf = async (seed: number) => {
    const { pass, drainKeys } = await openWithFaults(context, { seed, maxDelayMs: 600_000, reorder: true })
    pass(600_000)
    return drainKeys()
  }
  const first = await orderOf(1)
  assert.notDeepEqual(first, keys)
  assert.deepEqual(sorted(first), sorted(keys))
  assert.deepEqual(await orderOf(1), first)
  assert.notDeepEqual(await orderOf(2), first)
})

test('a duplicate is a message of its own with the same record', async (context) => {
  const { sqs, QueueUrl } = await openWithFaults(context, { seed: 1, duplicate: 0.5 })
  const messages = new Map<string, string>()
  for (;;) {
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }))
    if (Messages.length === 0) break
    for (const { MessageId = '', Body = '', ReceiptHandle } of Messages) {
      messages.set(MessageId, Body)
      await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }))
    }
  }
  const bodies = [...messages.values()]
  assert.equal(new Set(bodies).size, keys.length)
  assert.ok(bodies.length > keys.length && bodies.length < 2 * keys.length, `${bodies.length} messages`)
})

const anySettings = fc.record<FaultSettings>({
  seed: fc.maxSafeInteger(),
  duplicate: fc.double({ min: 0, max: 1, noNaN: true }),
  maxDelayMs: fc.integer({ min: 1, max: 900_000 }),
  reorder: fc.boolean(),
})

test('no delay is longer than was allowed, order is kept unless it may not be, and a seed repeats all', () => {
  fc.assert(
    fc.property(anySettings, fc.array(fc.nat(5000), { minLength: 1 }), (settings, gaps) => {
      const [faults, again] = [openFaults(settings), openFaults(parseFaults({}))]
      again.change(settings)
      let nowMs = 1e12
      let lastMs = 0
      for (const gap of gaps) {
        nowMs += gap
        const delays = faults.plan('q', nowMs)
        assert.deepEqual(again.plan('q', nowMs), delays)
        for (const delayMs of delays) {
          assert.ok(Number.isSafeInteger(delayMs) && delayMs >= 0 && delayMs <= settings.maxDelayMs)
          if (!settings.reorder) assert.ok(nowMs + delayMs >= lastMs)
          lastMs = nowMs + delayMs
        }
      }
    }),
  )
})

test('settings that are made again begin again', () => {
  const settings = { seed: 5, duplicate: 0.5, maxDelayMs: 60_000, reorder: true }
  const faults = openFaults(settings)
  const plans = () => Array.from({ length: 20 }, () => faults.plan('q', 0))
  const first = plans()
  assert.notDeepEqual(plans(), first)
  faults.change(settings)
  assert.deepEqual(plans(), first)
})

test('the probability of a duplicate is the one that was asked for', () => {
  for (const duplicate of [0, 0.3, 1]) {
    const faults = openFaults({ seed: 5, duplicate, maxDelayMs: 10, reorder: true })
    const counts = Array.from({ length: 4000 }, () => faults.plan('q', 0).length)
    const share = counts.filter((count) => count === 2).length / counts.length
    assert.ok(Math.abs(share - duplicate) < 0.03, `${share} of ${duplicate}`)
  }
})

test('settings are read strictly, and given back as they are', () => {
  const off = { seed: 0, duplicate: 0, max_delay_ms: 0, reorder: false }
  assert.deepEqual(describeFaults(parseFaults({})), off)
  assert.deepEqual(describeFaults(parseFaults({ reorder: true })), { ...off, max_delay_ms: 1000, reorder: true })
  const all = { seed: -4, duplicate: 0.25, max_delay_ms: 900_000, reorder: true }
  assert.deepEqual(describeFaults(parseFaults(all)), all)
  const refused: unknown[] = [
    { seed: 1.5 },
    { seed: '1' },
    { duplicate: -0.1 },
    { duplicate: 1.1 },
    { duplicate: null },
    { max_delay_ms: -1 },
    { max_delay_ms: 900_001 },
    { max_delay_ms: 0, reorder: true },
    { reorder: 'yes' },
    { maxDelayMs: 1 },
    [],
    'x',
    null,
  ]
  for (const input of refused) assert.throws(() => parseFaults(input), { name: 'ZodError' }, JSON.stringify(input))
})
