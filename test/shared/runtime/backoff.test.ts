import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { suite, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'

import fc from 'fast-check'

import { backoff, pause, retrying } from '#shared/runtime/backoff.ts'

const hourMs = 3_600_000
const noDelay = () => 0

suite('backoff', () => {
  test('doubles up to its cap, half of it fixed and half random', () => {
    const delays = (random: () => number) => [0, 1, 2, 3, 4, 2000].map(backoff({ baseMs: 100, capMs: 1000, random }))
    assert.deepEqual(
      delays(() => 0),
      [50, 100, 200, 400, 500, 500],
    )
    assert.deepEqual(
      delays(() => 0.5),
      [75, 150, 300, 600, 750, 750],
    )
  })

  test('never gives 0 and never more than its cap', () => {
    fc.assert(
      fc.property(
        fc.nat(5000),
        fc.integer({ min: 1, max: 1000 }),
        fc.integer({ min: 1, max: 60_000 }),
        (attempt, baseMs, capMs) => {
          const delay = backoff({ baseMs, capMs })(attempt)
          assert.ok(delay > 0 && delay <= capMs)
        },
      ),
    )
  })
})

suite('pause', () => {
  test('lasts as long as it is told', async () => {
    const started = performance.now()
    await pause(30)
    assert.ok(performance.now() - started >= 29)
  })

  test('takes a time below 0 for 0, of which Node would warn', async () => {
    const warnings: string[] = []
    const note = ({ name }: Error) => void warnings.push(name)
    process.on('warning', note)
    await pause(-5)
    await nextTurn()
    process.off('warning', note)
    assert.deepEqual(warnings, [])
  })

  test('ends without a throw when the signal aborts, before or meanwhile', async () => {
    await pause(hourMs, AbortSignal.abort())
    const controller = new AbortController()
    const paused = pause(hourMs, controller.signal)
    controller.abort()
    await paused
  })

  test('leaves no listener behind', async () => {
    const { signal } = new AbortController()
    await Promise.all([pause(1, signal), pause(2, signal)])
    assert.equal(getEventListeners(signal, 'abort').length, 0)
  })
})

suite('retrying', () => {
  const failing = (failures: number) => {
    const attempts: number[] = []
    const work = (attempt: number) => {
      attempts.push(attempt)
      return attempts.length > failures ? Promise.resolve('done') : Promise.reject(new Error(`failure ${attempt}`))
    }
    return { attempts, work }
  }

  test('repeats until it works, waiting by the number of the failed attempt', async () => {
    const { attempts, work } = failing(2)
    const asked: number[] = []
    const delayMs = (attempt: number) => asked.push(attempt) * 0
    assert.equal(await retrying(work, { attempts: 3, delayMs }), 'done')
    assert.deepEqual(
      [attempts, asked],
      [
        [0, 1, 2],
        [0, 1],
      ],
    )
  })

  test('throws the last error when its attempts are used up', async () => {
    const { attempts, work } = failing(9)
    await assert.rejects(retrying(work, { attempts: 3, delayMs: noDelay }), /failure 2/)
    assert.deepEqual(attempts, [0, 1, 2])
  })

  test('throws a final error at once', async () => {
    const { attempts, work } = failing(9)
    await assert.rejects(retrying(work, { attempts: 3, delayMs: noDelay, isFinal: () => true }), /failure 0/)
    assert.deepEqual(attempts, [0])
  })

  test('gives up with the last error when the signal aborts in the pause', async () => {
    const { attempts, work } = failing(9)
    const controller = new AbortController()
    const delayMs = () => {
      setImmediate(() => controller.abort())
      return hourMs
    }
    await assert.rejects(retrying(work, { attempts: 3, delayMs, signal: controller.signal }), /failure 0/)
    assert.deepEqual(attempts, [0])
  })
})
