import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { recordRunner } from '#shared/adapters/record-runner.ts'
import type { Task } from '#shared/adapters/record-runner.ts'
import { done, reject } from '#shared/domain/outcomes.ts'
import type { RecordHandler } from '#shared/ports/event-log.ts'
import { SetupError } from '#shared/ports/failures.ts'

const record = { topic: 't', partition: 0, offset: '1', key: 'a', value: '', headers: {}, appendedAt: new Date(0) }

/** One task, and how often it was begun and finished. */
const countedTask = (signal: AbortSignal) => {
  const counts = { begun: 0, finished: 0 }
  const task: Task = {
    record,
    signal,
    begin: () => ++counts.begun > 0,
    finish: () => counts.finished++,
  }
  return { task, counts }
}

const openRunner = (handle: RecordHandler, append = () => Promise.resolve()) => {
  const stop = new AbortController()
  const options = { handle, concurrency: 1, append, stop: stop.signal, log: undefined, onSettled: () => undefined }
  return { runner: recordRunner(options), stop }
}

suite('the record runner', () => {
  test('a record that was taken away while its dead letter was stored is not finished', async () => {
    const taken = new AbortController()
    const append = () => {
      taken.abort()
      return Promise.resolve()
    }
    const { runner } = openRunner(() => Promise.resolve(reject('no')), append)
    const { task, counts } = countedTask(taken.signal)
    await runner.run(task)
    assert.deepEqual(counts, { begun: 1, finished: 0 })
  })

  test('after a stop nothing begins', async () => {
    const { runner, stop } = openRunner(() => Promise.resolve(done))
    const [first, second] = [countedTask(stop.signal), countedTask(new AbortController().signal)]
    await runner.run(first.task)
    stop.abort()
    await runner.run(second.task)
    assert.deepEqual([first.counts.finished, second.counts.begun], [1, 0])
    assert.equal(runner.inHand(), 0)
  })

  test('a set-up that proves wrong is the failure, and nothing begins after it', async () => {
    const wrong = new SetupError('no such queue')
    const { runner } = openRunner(() => Promise.reject(wrong))
    const [first, second] = [1, 2].map(() => countedTask(new AbortController().signal))
    assert.ok(first && second)
    await Promise.all([runner.run(first.task), runner.run(second.task)])
    assert.equal(runner.failure(), wrong)
    assert.deepEqual([first.counts.finished, second.counts.begun], [0, 0])
  })
})
