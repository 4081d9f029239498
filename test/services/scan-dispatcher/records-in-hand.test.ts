import assert from 'node:assert/strict'
import test from 'node:test'

import { recordsInHand } from '../../../services/scan-dispatcher/records-in-hand.ts'
import { recordOf } from './events.ts'

test('a record that stays in hand is a problem of readiness, until it has left', () => {
  let nowMs = 0
  const { take, drop, problem } = recordsInHand(() => nowMs)
  const [first, second] = [recordOf('image.uploaded', '1'), recordOf('image.uploaded', '2')]
  const { signal } = new AbortController()
  const onAbandon = () => assert.fail('it is not given back')
  assert.equal(problem(), undefined)
  take(first, signal, onAbandon)
  nowMs += 4_000
  take(second, signal, onAbandon)
  assert.equal(problem(), undefined)
  nowMs += 2_000
  take(first, signal, onAbandon)
  assert.equal(problem(), 'one is in hand since 6 s', 'through all its tries')
  drop(first)
  assert.equal(problem(), undefined)
  nowMs += 4_000
  assert.equal(problem(), 'one is in hand since 6 s')
  drop(second)
  assert.equal(problem(), undefined)
})
