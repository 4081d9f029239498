import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { suite, test } from 'node:test'

import fc from 'fast-check'

import { pairFinder, type Pair } from '#shared/domain/images/pairs.ts'
import { pairsModule, writePairsModule } from '../../../../tools/support/wat.ts'

/** Of 32 values, so that pairs of a few characters come often. */
const byte = fc.integer({ min: 0, max: 255 }).map((value) => value & 0xb3)
const character = byte.map((value) => String.fromCharCode(value))
const characters = fc.array(character, { minLength: 1, maxLength: 4 }).map((each) => each.join(''))
const pairs = fc.array(fc.tuple(characters, characters), { minLength: 1, maxLength: 12 })
const someBytes = fc.array(byte, { maxLength: 300 }).map((values) => Uint8Array.from(values))

const isPair = ([first, second]: Pair, bytes: Uint8Array, at: number) =>
  [first, second].every((set, index) => set.includes(String.fromCharCode(bytes[at + index] ?? -1)))

const placesOf = (wanted: readonly Pair[], bytes: Uint8Array) =>
  [...bytes.keys()].filter((at) => at + 1 < bytes.length && wanted.some((pair) => isPair(pair, bytes, at)))

suite('the search for pairs of bytes', () => {
  test('finds each place at which one stands, in order', () => {
    fc.assert(
      fc.property(pairs, someBytes, (wanted, bytes) => {
        const found = [...pairFinder(wanted)(bytes)]
        assert.deepEqual(
          found,
          [...new Set(found)].sort((one, other) => one - other),
        )
        const missed = placesOf(wanted, bytes).filter((at) => !found.includes(at))
        assert.deepEqual(missed, [])
      }),
    )
  })

  test('finds nothing else of up to eight pairs of single bytes', () => {
    const single = fc.array(fc.tuple(character, character), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(single, someBytes, (wanted, bytes) => {
        assert.deepEqual([...pairFinder(wanted)(bytes)], placesOf(wanted, bytes))
      }),
    )
  })

  test('finds each of more pairs than a byte has bits', () => {
    const many = Array.from({ length: 20 }, (_, index): Pair => [
      String.fromCharCode(index * 13),
      String.fromCharCode(index),
    ])
    const find = pairFinder(many)
    for (const pair of many) assert.deepEqual([...find(Buffer.from(pair.join(''), 'latin1'))], [0])
  })

  test('sees a pair at every place of a block and over the border of two, also in a view of other bytes', () => {
    const find = pairFinder([['P', 'K']])
    for (let at = 0; at < 64; at++) {
      const bytes = Buffer.alloc(70)
      bytes.write('PK', at)
      assert.deepEqual([...find(bytes)], [at])
      assert.deepEqual([...find(bytes.subarray(at))], [0])
    }
  })

  test('of one call does not see what the call before it was given', () => {
    const find = pairFinder([['P', 'K']])
    assert.equal(find(Buffer.from('PK'.repeat(50))).length, 50)
    for (let length = 0; length < 100; length++) assert.deepEqual([...find(Buffer.alloc(length))], [])
  })

  test('finds none that reaches over the end, whatever lies behind it', () => {
    for (const byte of ['\0', 'a']) {
      const find = pairFinder([[byte, byte]])
      // Some of these fill the memory's first page to its end.
      for (let length = 13_050; length < 13_100; length++) {
        assert.equal(find(Buffer.alloc(length, byte)).length, length - 1)
      }
      for (let length = 0; length < 50; length++) {
        assert.equal(find(Buffer.alloc(length, byte)).length, Math.max(0, length - 1))
      }
    }
  })

  test('holds as many places as there are bytes, whatever their number', () => {
    const find = pairFinder([['a', 'a']])
    for (const length of [1 << 20, 3, 65_536, (1 << 21) + 1]) {
      const found = find(Buffer.alloc(length, 'a'))
      assert.deepEqual([found.length, found[0], found.at(-1)], [length - 1, 0, length - 2])
    }
    assert.equal(find(Buffer.alloc(0)).length, 0)
  })
})

test(`${pairsModule} is what \`npm run build:wasm\` makes of its source`, async () => {
  assert.equal(await readFile(pairsModule, 'utf8'), await writePairsModule())
})
