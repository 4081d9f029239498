import assert from 'node:assert/strict'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { suite, test } from 'node:test'

import { OutageError, RefusalError } from '#shared/ports/failures.ts'
import { openMetrics } from '#shared/runtime/metrics.ts'
import { quarantineReasons } from '../../../services/upload-watcher/settled.ts'
import { settleMessage } from '../../../services/upload-watcher/message.ts'
import { watcherMetrics } from '../../../services/upload-watcher/metrics.ts'
import { eventually } from '../../support/eventually.ts'
import type { Around } from '../../support/fakes/intercept.ts'
import { goodPhoto, pdfBytes } from '../../support/images.ts'
import { chosenSeed, seededRandom } from '../../support/random.ts'
import { keyOf, notificationOf, removal, s3Record, testEvent } from './notifications.ts'
import { startWatching } from './watching.ts'
import { messageDeps, openWorld, takeMessage, type World } from './world.ts'

const photo = await goodPhoto('image/png')
const { signal } = new AbortController()

const openCounts = () => {
  const registry = openMetrics({ defaults: false })
  /** Every figure by its name and labels, as a scrape shows it. */
  const scrape = async () => {
    const lines = (await registry.metrics()).matchAll(/^image_intake_(\S+) (\S+)$/gm)
    return new Map(Array.from(lines, ([, name = '', value]) => [name, Number(value)]))
  }
  return { metrics: watcherMetrics(registry), scrape }
}
type Figures = Awaited<ReturnType<ReturnType<typeof openCounts>['scrape']>>

const figure = (figures: Figures, name: string) => figures.get(name) ?? 0
const settledRecords = (figures: Figures) =>
  [...figures].reduce((sum, [name, value]) => sum + (name.startsWith('records_total{') ? value : 0), 0)

const assertAddsUp = (figures: Figures) => {
  const ended = settledRecords(figures) + figure(figures, 'records_released_total')
  assert.equal(figure(figures, 'records_received_total'), ended + figure(figures, 'records_in_hand'))
}

type Random = () => number
const pick = <T>(random: Random, all: readonly [T, ...T[]]): T => all[Math.floor(random() * all.length)] ?? all[0]

/** Messages of every kind; tells how many records are in them. */
const fill = async (world: World, random: Random): Promise<number> => {
  let records = 0
  for (let index = 0; index < 40; index++) {
    const key = keyOf(pick(random, ['scan', 'profile', 'chat']), index)
    const bytes = random() < 0.7 ? photo : pdfBytes(index)
    if (random() < 0.9) world.images.upload({ key, bytes, contentType: 'image/png' })
    const good = s3Record(key)
    const body = pick(random, [
      notificationOf(good),
      notificationOf(good, s3Record('elsewhere'), s3Record(key, removal), 7),
      notificationOf(s3Record(key, { eventName: 'ObjectTagging:Put' }), good),
      testEvent,
      'no JSON',
    ])
    records += body.startsWith('{"Records"') ? (JSON.parse(body) as { Records: unknown[] }).Records.length : 1
    await world.uploads.queue.send({ body })
  }
  return records
}

const failures = {
  outage: () => new OutageError('S3', 'a test'),
  refusal: () => new RefusalError('a test'),
  unforeseen: () => new TypeError('a test'),
}

/** Calls of which some fail, before or after they have their effect, some take long and some last until `hang` ends. */
const faulty =
  (random: Random, hang?: Promise<never>): Around =>
  async (call, proceed) => {
    if (call.endsWith('.ping')) return proceed()
    for (let turns = random() * 4; turns > 0; turns--) await nextTurn()
    const luck = random()
    if (hang && luck < 0.02 && call !== 'uploads.receive') await hang
    const failure = failures[luck < 0.1 ? 'outage' : luck < 0.13 ? 'refusal' : 'unforeseen']()
    if (luck >= 0.15) return proceed()
    // What failed after its effect is not told apart from what never had one; an acknowledged message would not come again.
    if (call !== 'uploads.acknowledge' && call !== 'uploads.receive' && random() < 0.5) await proceed()
    throw failure
  }

type Ending = 'drained' | 'stopped' | 'abandoned'

const runFaulty = async (seed: number, ending: Ending) => {
  const random = seededRandom(seed)
  const world = openWorld()
  const records = await fill(world, random)
  const { metrics, scrape } = openCounts()
  const grave = Promise.withResolvers<never>()
  grave.promise.catch(() => undefined)
  const around = faulty(random, ending === 'abandoned' ? grave.promise : undefined)
  const { stop, deadline, ended } = startWatching(world, { around, metrics })
  const turns = ending === 'drained' ? Infinity : random() * 400
  let turn = 0
  const watchTurns = async () => {
    for (let each = 0; each < 20; each++, turn++) {
      const figures = await scrape()
      assertAddsUp(figures)
      // A failure that nobody foresaw hides its message for ten seconds.
      if (figure(figures, 'messages_in_hand') === 0) world.uploads.pass(11)
      await nextTurn()
    }
    return world.uploads.messages.length === 0 || turn >= turns
  }
  let over = false
  const end = ended.finally(() => (over = true))
  try {
    await eventually(watchTurns, 'the turn to stop', 60_000)
    stop()
    if (ending === 'abandoned') deadline()
    await eventually(async () => {
      assertAddsUp(await scrape())
      return over
    }, 'the end')
    await end
    return { records, figures: await scrape() }
  } finally {
    // Else what a failed test leaves in hand keeps the test's process alive.
    stop()
    deadline()
    grave.reject(new Error('buried'))
  }
}

suite("the watcher's counts", { concurrency: true }, () => {
  const first = chosenSeed()
  for (const ending of ['drained', 'stopped', 'abandoned'] as const) {
    for (let seed = first; seed < first + 6; seed++) {
      test(`add up at every moment of a run with random failures that is ${ending} (SEED=${seed})`, async () => {
        const { records, figures } = await runFaulty(seed, ending)
        assertAddsUp(figures)
        if (ending !== 'abandoned') assert.equal(figure(figures, 'messages_in_hand'), 0)
        if (ending === 'drained') assert.equal(settledRecords(figures), records)
      })
    }
  }

  test('tell records by outcome and reason, ages, delays, retries and pauses', async () => {
    const world = openWorld()
    const { metrics, scrape } = openCounts()
    const { deps } = messageDeps(world)
    world.images.upload({ key: keyOf('scan', 1), bytes: photo, contentType: 'image/png' })
    world.images.upload({ key: keyOf('scan', 2), bytes: pdfBytes(1), contentType: 'image/png' })
    world.events.faults.fail('append', new RefusalError('a test'))
    const records = [
      s3Record(keyOf('scan', 1), { eventTime: new Date(Date.now() - 40_000).toISOString() }),
      s3Record(keyOf('scan', 2), { eventTime: 'soon' }),
      s3Record(keyOf('scan', 3), removal),
      s3Record('elsewhere'),
      s3Record(keyOf('scan', 1), { bucket: 'others' }),
      'none',
    ]
    const message = await takeMessage(world, notificationOf(...records))
    const sentAt = new Date(Date.now() - 7_000)
    await settleMessage({ ...deps, metrics }, { ...message, sentAt }, signal)
    for (const open of [false, true, false]) metrics.gate(open)
    const figures = await scrape()
    const expected = {
      messages_received_total: 1,
      messages_released_total: 0,
      messages_in_hand: 0,
      records_received_total: 6,
      'records_total{outcome="uploaded",reason=""}': 1,
      'records_total{outcome="rejected",reason="not_an_image"}': 1,
      'records_total{outcome="deleted",reason=""}': 1,
      'records_total{outcome="quarantined",reason="strange_key"}': 1,
      'records_total{outcome="quarantined",reason="foreign"}': 1,
      'records_total{outcome="quarantined",reason="unreadable"}': 1,
      record_retries_total: 1,
      watcher_pauses_total: 2,
      watcher_paused: 1,
      'message_age_seconds_bucket{le="5"}': 0,
      'message_age_seconds_bucket{le="60"}': 1,
      // The second event has a time that says nothing, and the third lies years back.
      'publish_delay_seconds_bucket{le="30"}': 0,
      'publish_delay_seconds_bucket{le="300"}': 1,
      publish_delay_seconds_count: 2,
    }
    assert.deepEqual(Object.fromEntries(Object.keys(expected).map((name) => [name, figures.get(name)])), expected)
  })

  test('tell nothing of the age of a message that has no time, and none below 0', async () => {
    const { metrics, scrape } = openCounts()
    const message = await takeMessage(openWorld(), testEvent)
    metrics.received({ ...message, sentAt: new Date(0) }, 1)
    assert.equal(figure(await scrape(), 'message_age_seconds_count'), 0)
    metrics.received({ ...message, sentAt: new Date(Date.now() + 60_000) }, 1)
    const figures = await scrape()
    assert.deepEqual([figures.get('message_age_seconds_sum'), figures.get('message_age_seconds_count')], [0, 1])
  })

  test('tell heartbeats by their result', async () => {
    const world = openWorld()
    const { metrics, scrape } = openCounts()
    const { deps } = messageDeps(world)
    const release = world.images.faults.hold('readStart')
    world.images.upload({ key: keyOf('scan', 1), bytes: photo, contentType: 'image/png' })
    world.uploads.faults.fail('extend', new OutageError('SQS', 'a test'))
    const message = await takeMessage(world, notificationOf(s3Record(keyOf('scan', 1))))
    const settled = settleMessage({ ...deps, metrics, visibilitySeconds: 0.03 }, message, signal)
    await eventually(async () => figure(await scrape(), 'heartbeats_total{result="done"}') > 0, 'a beat')
    assert.equal(figure(await scrape(), 'heartbeats_total{result="failed"}'), 1)
    release()
    await settled
  })
})

test('what an alert watches the first of is there from the start, at 0', async () => {
  const figures = await openCounts().scrape()
  for (const reason of quarantineReasons)
    assert.equal(figures.get(`records_total{outcome="quarantined",reason="${reason}"}`), 0, reason)
  assert.equal(figures.get('heartbeats_total{result="failed"}'), 0)
})
