import assert from 'node:assert/strict'
import test from 'node:test'

import fc from 'fast-check'

import { pathBudget } from '../../../infra/invalidator/budget.ts'

const dayMs = 86_400_000
const windowMs = 31 * dayMs

test('however it is spent, no 31 days cost more than a month and the first path', () => {
  const pauses = fc.array(fc.integer({ min: 0, max: 3 * dayMs }), { maxLength: 400 })
  fc.assert(
    fc.property(fc.integer({ min: 20, max: 5_000 }), pauses, (perMonth, waits) => {
      const budget = pathBudget(perMonth, 0)
      const spent: [number, number][] = []
      let now = 0
      for (const wait of waits) {
        now += Math.max(wait, budget.waitMs(now))
        const paths = budget.available(now)
        assert.ok(paths >= 1)
        budget.spend(paths, now)
        spent.push([now, paths])
      }
      for (const [from] of spent) {
        const inWindow = spent.filter(([at]) => at >= from && at < from + windowMs)
        const sum = inWindow.reduce((total, [, paths]) => total + paths, 0)
        assert.ok(sum <= perMonth + 1, `${sum} of ${perMonth}`)
      }
    }),
  )
})

test('the first path may go at once, the next when it has been saved up', () => {
  const budget = pathBudget(1000, 5)
  assert.deepEqual([budget.available(5), budget.waitMs(5)], [1, 0])
  budget.spend(1, 5)
  assert.equal(budget.available(5), 0)
  const waitMs = budget.waitMs(5)
  assert.ok(waitMs > 40 * 60_000 && waitMs < 50 * 60_000, `${waitMs} ms`)
  assert.equal(budget.available(5 + waitMs), 1)
})

test('a quiet time saves up a twentieth, and no more', () => {
  assert.equal(pathBudget(1000, 0).available(365 * dayMs), 50)
  assert.equal(pathBudget(20, 0).available(365 * dayMs), 1)
})

test('what was spent beyond it is paid back first', () => {
  const budget = pathBudget(1000, 0)
  budget.spend(3, 0)
  const waitMs = budget.waitMs(0)
  assert.equal(budget.available(waitMs - 60_000), 0)
  assert.equal(budget.available(waitMs), 1)
})

test('a clock that goes back saves nothing up', () => {
  const budget = pathBudget(1000, 1_000_000)
  budget.spend(1, 1_000_000)
  assert.equal(budget.available(0), 0)
})
