import assert from 'node:assert/strict'
import test from 'node:test'

import { pathBudget } from '../../../infra/invalidator/budget.ts'
import { openInvalidator, type SendInvalidation } from '../../../infra/invalidator/invalidator.ts'
import { SetupError } from '#shared/ports/failures.ts'
import { openLog } from '#shared/runtime/log.ts'
import { eventually } from '../../support/eventually.ts'

type Sent = { paths: readonly string[]; reference: string }

/** An invalidator whose time stands still until `go` lets a pause pass; `fail` is thrown by the next sends. */
const openWorld = (perMonth = 1000) => {
  let now = 0
  const sent: Sent[] = []
  const failures: Error[] = []
  const pauses: { ms: number; end: () => void }[] = []
  const send: SendInvalidation = (paths, reference) => {
    sent.push({ paths, reference })
    const failure = failures.shift()
    return failure ? Promise.reject(failure) : Promise.resolve()
  }
  const pause = (ms: number, signal: AbortSignal) =>
    new Promise<void>((resolve) => {
      pauses.push({
        ms,
        end: () => {
          now += ms
          resolve()
        },
      })
      signal.addEventListener('abort', () => resolve())
    })
  const log = openLog({ name: 'test', level: 'silent' })
  const budget = pathBudget(perMonth, 0)
  const invalidator = openInvalidator({
    send,
    budget,
    log,
    gatherMs: 2_000,
    now: () => now,
    pause,
    retryDelayMs: () => 7,
  })
  const [stop, deadline] = [new AbortController(), new AbortController()]
  const running = invalidator.run({ stop: stop.signal, deadline: deadline.signal })
  running.catch(() => undefined)
  const go = async () => {
    const { ms, end } = await eventually(() => pauses.shift(), 'a pause')
    end()
    return ms
  }
  return { ...invalidator, running, sent, failures, pauses, stop, deadline, go }
}

const path = (id: number) => `/scans/20260101/user-1/${id}`

test('paths that come within the time of gathering share a call', async () => {
  const { take, go, sent, stop, running } = openWorld()
  const waiting = [take(path(1))]
  await eventually(() => true, 'a turn')
  waiting.push(take(path(1)), take(path(1)))
  assert.equal(await go(), 2_000)
  assert.equal(await go(), 0)
  await Promise.all(waiting)
  assert.deepEqual(
    sent.map(({ paths }) => paths),
    [[path(1)]],
  )
  stop.abort()
  await running
})

test('beyond the budget paths wait for it, and share one when it comes', async () => {
  const { take, go, sent, stop, running } = openWorld()
  const first = take(path(0))
  await go()
  await go()
  await first
  const later = [1, 2, 3].map((id) => take(path(id)))
  assert.equal(await go(), 2_000)
  const waitMs = await go()
  assert.ok(waitMs > 40 * 60_000, `${waitMs} ms`)
  await Promise.all(later)
  assert.deepEqual(sent[1]?.paths, ['/scans/20260101/user-1/*'])
  stop.abort()
  await running
})

test('a call that failed is repeated as the same invalidation, and nobody is told before', async () => {
  const { take, go, sent, failures, stop, running } = openWorld()
  failures.push(new Error('no answer'), new Error('too many'))
  let isTold = false
  const told = take(path(1)).then(() => (isTold = true))
  await go()
  await go()
  assert.equal(await go(), 7)
  assert.equal(isTold, false)
  assert.equal(await go(), 7)
  await told
  assert.deepEqual([sent.length, new Set(sent.map(({ reference }) => reference)).size], [3, 1])
  stop.abort()
  await running
})

test('two invalidations of one path are two', async () => {
  const { take, go, sent, stop, running } = openWorld()
  for (let round = 0; round < 2; round++) {
    const told = take(path(1))
    await go()
    await go()
    await told
  }
  assert.equal(new Set(sent.map(({ reference }) => reference)).size, 2)
  stop.abort()
  await running
})

test('a stop sends at once what waits, in one path where the budget is spent', async () => {
  const { take, go, sent, stop, running } = openWorld()
  const first = take(path(0))
  await go()
  await go()
  await first
  const waiting = [take(path(1)), take(path(2))]
  stop.abort()
  await Promise.all(waiting)
  await running
  assert.deepEqual(sent[1]?.paths, ['/scans/20260101/user-1/*'])
})

test('a stop ends what has nothing to do', async () => {
  const { stop, running, sent } = openWorld()
  stop.abort()
  await running
  assert.equal(sent.length, 0)
})

test('a deadline leaves what the CDN did not take, and nobody is told that it did', async () => {
  const { take, go, failures, stop, deadline, running, sent } = openWorld()
  failures.push(new Error('no answer'))
  let isTold = false
  void take(path(1)).then(() => (isTold = true))
  await go()
  await go()
  await eventually(() => sent.length === 1, 'a first try')
  stop.abort()
  deadline.abort()
  await running
  assert.deepEqual([isTold, sent.length], [false, 1])
})

test('what no repeat mends ends the run, and is told to all who wait and who come after', async () => {
  const { take, go, failures, running } = openWorld()
  failures.push(new SetupError('no such distribution'))
  const told = assert.rejects(take(path(1)), SetupError)
  await go()
  await go()
  await told
  await assert.rejects(running, SetupError)
  await assert.rejects(take(path(2)), SetupError)
})
