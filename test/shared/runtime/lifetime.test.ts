import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { aborted, endOnSignals, lifetime } from '#shared/runtime/lifetime.ts'
import { openLog } from '#shared/runtime/log.ts'

const hourMs = 3_600_000

suite('lifetime', () => {
  test('end stops at once, and its deadline comes when the grace has passed', async () => {
    const life = lifetime({ graceMs: 30 })
    assert.equal(life.stop.aborted, false)
    const started = performance.now()
    life.end('enough')
    assert.deepEqual([life.stop.aborted, life.deadline.aborted, life.stop.reason], [true, false, 'enough'])
    await aborted(life.deadline)
    assert.ok(performance.now() - started >= 29)
  })

  test('only the first end counts', () => {
    const life = lifetime({ graceMs: hourMs })
    life.end('first')
    life.end('second')
    assert.equal(life.stop.reason, 'first')
  })

  test('undoing endOnSignals leaves no handler behind', () => {
    const before = process.listenerCount('SIGTERM')
    const undo = endOnSignals(lifetime({ graceMs: hourMs }), openLog({ name: 'test', level: 'silent' }))
    assert.equal(process.listenerCount('SIGTERM'), before + 1)
    undo()
    assert.equal(process.listenerCount('SIGTERM'), before)
    assert.equal(process.listenerCount('SIGINT'), 0)
  })

  test('aborted resolves for a signal that has aborted already', async () => {
    await aborted(AbortSignal.abort())
  })
})
