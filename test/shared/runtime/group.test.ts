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

  test('sends each item once, in order, and within all its limits', async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 60 })
    const limits = fc.record({
      maxItems: fc.integer({ min: 1, max: 7 }),
      maxInFlight: fc.integer({ min: 1, max: 3 }),
      maxBytes: fc.integer({ min: 1, max: 20 }),
    })
    const check = async (
      items: number[],
      { maxItems, maxInFlight, maxBytes }: { maxItems: number; maxInFlight: number; maxBytes: number },
    ) => {
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
      const add = group({ send, maxItems, maxInFlight, maxBytes, sizeOf: (item: number) => item })
      assert.deepEqual(await Promise.all(items.map(add)), items)
      assert.deepEqual(sent, items)
    }
    await fc.assert(fc.asyncProperty(sizes, limits, check), { numRuns: 50 })
  })
})
