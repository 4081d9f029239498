import assert from 'node:assert/strict'
import test from 'node:test'

import { recentIds } from '../../../services/scan-dispatcher/recent-ids.ts'

test('of more ids than it holds, the oldest is forgotten; one that comes again is young again', () => {
  const ids = recentIds(2)
  for (const id of ['a', 'b', 'a', 'c']) ids.add(id)
  assert.deepEqual(
    ['a', 'b', 'c'].map((id) => ids.has(id)),
    [true, false, true],
  )
})
