import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import fc from 'fast-check'

import { contiguousOffsets } from '#shared/adapters/offsets.ts'

suite('contiguous offsets', () => {
  test('an offset moves only when every earlier record is final', () => {
    const offsets = contiguousOffsets()
    for (const offset of ['3', '7', '20']) offsets.take(offset)
    assert.equal(offsets.finish('7'), undefined)
    assert.equal(offsets.finish('3'), '7')
    assert.equal(offsets.size(), 1)
    assert.equal(offsets.finish('20'), '20')
    assert.equal(offsets.size(), 0)
  })

  test('in whatever order records end, the offset is the last before the first that is not final', () => {
    const orders = fc
      .uniqueArray(fc.nat(10_000), { minLength: 1, maxLength: 30 })
      .chain((taken) => fc.tuple(fc.constant(taken), fc.shuffledSubarray(taken, { minLength: taken.length })))
    fc.assert(
      fc.property(orders, ([taken, ended]) => {
        const offsets = contiguousOffsets()
        taken.forEach((offset) => offsets.take(String(offset)))
        let reached: string | undefined
        const final = new Set<number>()
        for (const offset of ended) {
          final.add(offset)
          reached = offsets.finish(String(offset)) ?? reached
          const open = taken.findIndex((candidate) => !final.has(candidate))
          const last = taken[(open < 0 ? taken.length : open) - 1]
          assert.equal(reached, last?.toString())
        }
      }),
    )
  })
})
