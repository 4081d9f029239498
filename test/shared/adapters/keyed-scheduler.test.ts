import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { suite, test } from 'node:test'

import fc from 'fast-check'

import { keyedScheduler } from '#shared/adapters/keyed-scheduler.ts'

suite('the keyed scheduler', () => {
  test('tasks of a key run in order and never overlap, and no more run than allowed', async () => {
    const plans = fc.array(fc.record({ key: fc.constantFrom('a', 'b', 'c'), turns: fc.nat(3) }), { maxLength: 30 })
    await fc.assert(
      fc.asyncProperty(plans, fc.integer({ min: 1, max: 4 }), async (plan, concurrency) => {
        const scheduler = keyedScheduler(concurrency)
        const running: string[] = []
        const begun: Record<string, number[]> = { a: [], b: [], c: [] }
        const run = async (key: string, turns: number, index: number) => {
          assert.ok(!running.includes(key))
          running.push(key)
          assert.ok(running.length <= concurrency)
          begun[key]?.push(index)
          for (let turn = 0; turn < turns; turn++) await setImmediate()
          running.splice(running.indexOf(key), 1)
        }
        await Promise.all(plan.map(({ key, turns }, index) => scheduler.run(key, () => run(key, turns, index))))
        for (const key of ['a', 'b', 'c']) {
          const expected = plan.flatMap((task, index) => (task.key === key ? [index] : []))
          assert.deepEqual(begun[key], expected)
        }
      }),
      { numRuns: 50 },
    )
  })

  test('a task that throws rejects for its own caller and holds up nobody', async () => {
    const scheduler = keyedScheduler(1)
    const first = scheduler.run('a', () => Promise.reject(new Error('no')))
    const second = scheduler.run('a', () => Promise.resolve())
    await assert.rejects(first, /no/)
    await second
  })
})
