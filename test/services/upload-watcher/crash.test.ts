import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { expectedIds, left, runClean, runUntil, type End } from './crashing.ts'
import { connect, openWorld } from './world.ts'

/** Ends a run at its first call, the next at its second, and so on until there are no more. */
const endEverywhere = async (end: End, options: { isSlow?: boolean } = {}): Promise<Set<string>> => {
  const expected = left(await runClean())
  const seen = new Set<string>()
  for (let at = 1, skipped = 0; skipped < 5; at++) {
    const { call, world, inHand } = await runUntil(at, end, options)
    if (call === undefined) skipped++
    else seen.add(call)
    assert.deepEqual(left(world), expected, `ended at call ${at}, ${call ?? 'none'}`)
    if (end === 'stop') assert.equal(inHand, 0)
    assert.ok(at < 200)
  }
  return seen
}

/** Calls that settling a message never makes. One that is new has to be made in the world of these tests, or stand here. */
const notOnTheWay = [
  'images.put',
  'images.create',
  'images.replace',
  'images.remove',
  'images.ping',
  'states.head',
  'states.put',
  'states.remove',
  'states.removeVersion',
  'states.ping',
  'events.consume',
  'events.read',
  'events.ensureTopics',
  'events.checkTopics',
  'events.ping',
  'events.close',
  'uploads.send',
  'uploads.ping',
  'quarantine.receive',
  'quarantine.acknowledge',
  'quarantine.extend',
  'quarantine.ping',
]

const allCalls = () =>
  Object.entries(connect(openWorld())).flatMap(([name, port]) =>
    typeof port === 'object' && 'ping' in port ? Object.keys(port).map((method) => `${name}.${method}`) : [],
  )

suite('a watcher that ends at any call', { concurrency: true }, () => {
  test('has every outcome before it, and each event the id that its object has', async () => {
    const { ids, verdicts, objects, quarantined } = left(await runClean())
    assert.deepEqual(ids, expectedIds())
    assert.deepEqual([verdicts.length, objects.length, quarantined.length], [4, 2, 2])
    assert.deepEqual(verdicts.map((verdict) => /"(removed|deleted)"/.exec(verdict)?.[1]).sort(), [
      'deleted',
      'removed',
      undefined,
      undefined,
    ])
  })

  for (const end of ['before', 'after', 'hang', 'stop'] as const) {
    test(`(${end}) and starts again loses nothing and makes no new id, and no call is left out`, async () => {
      const seen = await endEverywhere(end)
      assert.deepEqual(
        allCalls().filter((call) => !seen.has(call)),
        notOnTheWay,
      )
    })

    test(`(${end}) while its messages are kept hidden by heartbeats loses nothing and makes no new id`, async () => {
      assert.ok((await endEverywhere(end, { isSlow: true })).has('uploads.extend'))
    })
  }
})
