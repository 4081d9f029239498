import assert from 'node:assert/strict'
import test from 'node:test'

import fc from 'fast-check'

import { coalescePaths, maxWildcards } from '../../../infra/invalidator/coalesce.ts'

const dated = fc.tuple(
  fc.constantFrom('scans', 'chat'),
  fc.constantFrom('20260101', '20260102', '20260103'),
  fc.integer({ max: 30, min: 0 }),
  fc.nat(200),
)
const path = fc.oneof(
  dated.map(([purpose, day, user, id]) => `/${purpose}/${day}/user-${user}/${id}`),
  fc.tuple(fc.nat(30), fc.nat(200)).map(([user, id]) => `/profiles/user-${user}/${id}`),
)
const manyPaths = fc.array(path, { maxLength: 300 })

const covers = (one: string, wanted: string) =>
  one === wanted || (one.endsWith('/*') && wanted.startsWith(one.slice(0, -1)))

test('every path stays covered, within the number of paths and of stars', () => {
  fc.assert(
    fc.property(manyPaths, fc.integer({ min: 1, max: 60 }), (wanted, maxPaths) => {
      const paths = coalescePaths(wanted, maxPaths)
      assert.ok(paths.length <= maxPaths)
      assert.ok(paths.filter((one) => one.endsWith('*')).length <= maxWildcards)
      for (const one of wanted)
        assert.ok(
          paths.some((covering) => covers(covering, one)),
          one,
        )
    }),
  )
})

test('no path covers another, so none is paid for in vain', () => {
  fc.assert(
    fc.property(manyPaths, fc.integer({ min: 1, max: 60 }), (wanted, maxPaths) => {
      const paths = coalescePaths(wanted, maxPaths)
      for (const one of paths)
        assert.deepEqual(
          paths.filter((other) => covers(one, other)),
          [one],
        )
    }),
  )
})

test('what fits is left as it is, each path once', () => {
  fc.assert(
    fc.property(manyPaths, (wanted) => {
      const distinct = [...new Set(wanted)]
      assert.deepEqual(coalescePaths([...wanted, ...wanted], Math.max(1, distinct.length)), distinct)
    }),
  )
})

const cases: [string, string[], number, string[]][] = [
  ['nothing stays nothing', [], 1, []],
  [
    'the fullest folder is folded first',
    ['/a/u/1', '/a/u/2', '/a/u/3', '/a/v/1', '/a/v/2'],
    3,
    ['/a/v/1', '/a/v/2', '/a/u/*'],
  ],
  ['a folder of one path is left', ['/a/u/1', '/a/v/1', '/a/v/2'], 2, ['/a/u/1', '/a/v/*']],
  ['a day is folded where users are too many', ['/c/1/u/1', '/c/1/v/1', '/c/2/u/1'], 2, ['/c/2/u/1', '/c/1/*']],
  ['one path covers a purpose', ['/c/1/u/1', '/c/2/v/1'], 1, ['/c/*']],
  ['one path covers all', ['/c/1/u/1', '/p/u/1'], 1, ['/*']],
]
for (const [claim, wanted, maxPaths, expected] of cases) {
  test(claim, () => {
    assert.deepEqual(coalescePaths(wanted, maxPaths), expected)
  })
}

test('stars are not more than CloudFront takes, also where paths may be many', () => {
  const wanted = Array.from({ length: 40 }, (_, user) => [1, 2, 3].map((id) => `/c/1/user-${user}/${id}`)).flat()
  assert.deepEqual(coalescePaths(wanted, 60), ['/c/1/*'])
})
