import assert from 'node:assert/strict'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { suite, test } from 'node:test'

import fc from 'fast-check'

import { group } from '#shared/runtime/group.ts'

const fulfilled = <T>(value: T): PromiseSettledResult<T> => ({ status: 'fulfilled', value })
const rejected = (reason: unknown): PromiseRejectedResult => ({ status: 'rejected', reason })

/** A send that records its groups and waits for `release`, so that a test decides when each ends. */
const heldSend = () => {
  const sent: (readonly number[])[] = []
  const held: (() => void)[] = []
  const send = async (items: readonly number[]) => {
    sent.push(items)
    await new Promise<void>((resolve) => held.push(resolve))
    return items.map((item) => fulfilled(item * 10))
  }
  return { sent, send, release: () => held.shift()?.() }
}

suite('group', () => {
  test('sends what comes in one turn together and in order', async () => {
    const sent: (readonly number[])[] = []
    const add = group({
      send: (items: readonly number[]) => (sent.push(items), Promise.resolve(items.map((n) => fulfilled(n * 10)))),
      maxItems: 10,
    })
    const late = async (item: number) => {
      for (let hop = 0; hop < item; hop++) await Promise.resolve()
      return add(item)
    }
    assert.deepEqual(await Promise.all([1, 2, 3, 4].map(late)), [10, 20, 30, 40])
    assert.deepEqual(sent, [[1, 2, 3, 4]])
  })

  test('gathers while a send is under way, and sends at most maxItems at once', async () => {
    const { sent, send, release } = heldSend()
    const add = group({ send, maxItems: 2 })
    const first = add(1)
    await nextTurn()
    const others = [2, 3, 4].map(add)
    await nextTurn()
    assert.deepEqual(sent, [[1]])
    release()
    assert.equal(await first, 10)
    await nextTurn()
    assert.deepEqual(sent, [[1], [2, 3]])
    release()
    await Promise.all(others.slice(0, 2))
    await nextTurn()
    release()
    await Promise.all(others)
    assert.deepEqual(sent, [[1], [2, 3], [4]])
  })

  test('has at most maxInFlight sends under way', async () => {
    const { sent, send, release } = heldSend()
    const add = group({ send, maxItems: 1, maxInFlight: 2 })
    const all = Promise.all([1, 2, 3].map(add))
    await nextTurn()
    assert.deepEqual(sent, [[1], [2]])
    release()
    await nextTurn()
    await nextTurn()
    assert.deepEqual(sent, [[1], [2], [3]])
    release()
    release()
    await all
  })

  test('fills a send by bytes, and lets an item that is too large go alone', async () => {
    const sent: (readonly number[])[] = []
    const send = (items: readonly number[]) => (sent.push(items), Promise.resolve(items.map(fulfilled)))
    const add = group({ send, maxItems: 10, maxBytes: 10, sizeOf: (item) => item })
    await Promise.all([4, 6, 1, 50, 10, 3].map(add))
    assert.deepEqual(sent, [[4, 6], [1], [50], [10], [3]])
  })

  test("an item's own rejection concerns it alone", async () => {
    const send = (items: readonly number[]) =>
      Promise.resolve(items.map((item) => (item === 2 ? rejected(new Error('two')) : fulfilled(item))))
    const results = await Promise.allSettled([1, 2, 3].map(group({ send, maxItems: 10 })))
    assert.deepEqual(results, [fulfilled(1), rejected(new Error('two')), fulfilled(3)])
  })

  test('a send that fails, or settles another number of items, fails for every item in it alone', async () => {
    let sends = 0
    const send = (items: readonly number[]): Promise<PromiseSettledResult<number>[]> => {
      sends++
      if (sends === 1) throw new Error('thrown')
      if (sends === 2) return Promise.reject(new Error('rejected'))
      return Promise.resolve(sends === 3 ? [fulfilled(1)] : items.map(fulfilled))
    }
    const results = await Promise.allSettled([1, 2, 3, 4, 5, 6, 7, 8].map(group({ send, maxItems: 2 })))
    const told = results.map((result) => (result.status === 'fulfilled' ? result.value : String(result.reason)))
    const wrong = 'Error: a group of 2 was sent, but 1 were settled'
    assert.deepEqual(told, ['Error: thrown', 'Error: thrown', 'Error: rejected', 'Error: rejected', wrong, wrong, 7, 8])
  })

  test('with time to gather, a lone item still leaves at once, and a full send waits for nobody', async () => {
    const { sent, send, release } = heldSend()
    const add = group({ send, maxItems: 3, maxInFlight: 9, gatherMs: 1_000_000 })
    const all = [add(1)]
    await nextTurn()
    assert.deepEqual(sent, [[1]])
    all.push(add(2), add(3))
    for (let turn = 0; turn < 5; turn++) await nextTurn()
    assert.deepEqual(sent, [[1]])
    all.push(add(4), add(5))
    await nextTurn()
    assert.deepEqual(sent, [[1], [2, 3, 4]])
    all.push(add(6), add(7))
    await nextTurn()
    assert.deepEqual(sent, [[1], [2, 3, 4], [5, 6, 7]])
    sent.forEach(release)
    assert.deepEqual(await Promise.all(all), [10, 20, 30, 40, 50, 60, 70])
  })

  test('what does not fill a send leaves with what time has brought', async () => {
    const sent: (readonly number[])[] = []
    const send = (items: readonly number[]) => (sent.push(items), Promise.resolve(items.map(fulfilled)))
    const add = group({ send, maxItems: 100, gatherMs: 50 })
    await add(0)
    const trickle = Array.from({ length: 10 }, async (_, index) => {
      for (let turn = 0; turn < index; turn++) await nextTurn()
      return add(index)
    })
    await Promise.all(trickle)
    assert.deepEqual(sent, [[0], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]])
  })

  test('who adds one item after the other is not held up each time', { timeout: 20_000 }, async () => {
    const sent: (readonly number[])[] = []
    const send = (items: readonly number[]) => (sent.push(items), Promise.resolve(items.map(fulfilled)))
    const add = group({ send, maxItems: 10, gatherMs: 500 })
    for (let item = 0; item < 200; item++) assert.equal(await add(item), item)
    assert.equal(sent.length, 200)
  })

  test('sends each item once, in order, and within all its limits', async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 60 })
    const limits = fc.record({
      maxItems: fc.integer({ min: 1, max: 7 }),
      maxInFlight: fc.integer({ min: 1, max: 3 }),
      maxBytes: fc.integer({ min: 1, max: 20 }),
      gatherMs: fc.constantFrom(0, 3),
    })
    type Limits = { maxItems: number; maxInFlight: number; maxBytes: number; gatherMs: number }
    const check = async (items: number[], { maxItems, maxInFlight, maxBytes, gatherMs }: Limits) => {
      const sent: number[] = []
      let inFlight = 0
      const send = async (some: readonly number[]) => {
        assert.ok(++inFlight <= maxInFlight && some.length <= maxItems)
        assert.ok(some.length === 1 || some.reduce((sum, item) => sum + item) <= maxBytes)
        sent.push(...some)
        await nextTurn()
        inFlight--
        return some.map(fulfilled)
      }
      const add = group({ send, maxItems, maxInFlight, maxBytes, gatherMs, sizeOf: (item: number) => item })
      assert.deepEqual(await Promise.all(items.map(add)), items)
      assert.deepEqual(sent, items)
    }
    await fc.assert(fc.asyncProperty(sizes, limits, check), { numRuns: 50 })
  })
})
