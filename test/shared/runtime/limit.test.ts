import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { suite, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'

import { limit } from '#shared/runtime/limit.ts'

suite('limit', () => {
  test('lets in at most max, then those who wait in the order in which they came', async () => {
    const places = limit(2)
    const entered: number[] = []
    for (const one of [1, 2, 3, 4]) void places.take().then(() => entered.push(one))
    await nextTurn()
    assert.deepEqual([entered, places.free], [[1, 2], 0])
    places.give()
    await nextTurn()
    assert.deepEqual([entered, places.free], [[1, 2, 3], 0])
    places.give()
    await nextTurn()
    assert.deepEqual(entered, [1, 2, 3, 4])
    places.give()
    places.give()
    assert.equal(places.free, 2)
  })

  test('take gives false, takes nothing and leaves no listener when the signal aborts first', async () => {
    const places = limit(1)
    assert.equal(await places.take(AbortSignal.abort()), false)
    assert.equal(places.free, 1)
    await places.take()
    const controller = new AbortController()
    const waiting = places.take(controller.signal)
    const behind = places.take()
    controller.abort()
    assert.equal(await waiting, false)
    places.give()
    assert.equal(await behind, true)
    assert.equal(getEventListeners(controller.signal, 'abort').length, 0)
  })

  test('a taken place is not lost by a later abort', async () => {
    const places = limit(1)
    const controller = new AbortController()
    await places.take()
    const waiting = places.take(controller.signal)
    places.give()
    controller.abort()
    assert.equal(await waiting, true)
    assert.equal(places.free, 0)
  })

  test('is idle when nothing is taken', async () => {
    const places = limit(2)
    await places.idle()
    await Promise.all([places.take(), places.take()])
    let idle = false
    void places.idle().then(() => (idle = true))
    places.give()
    await nextTurn()
    assert.equal(idle, false)
    places.give()
    await nextTurn()
    assert.equal(idle, true)
  })

  test('refuses to get back more than was taken', () => {
    assert.throws(() => limit(1).give(), /nobody had taken/)
  })
})
