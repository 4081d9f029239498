import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { aborted, lifetime } from '#shared/runtime/lifetime.ts'
import { openLog } from '#shared/runtime/log.ts'
import { run, type Part } from '#shared/runtime/run.ts'

const hourMs = 3_600_000
const log = openLog({ name: 'test', level: 'silent' })

/** A part that ends `finish` after stop, and says so. */
const worker = (name: string, ended: string[], finish: () => Promise<void> = () => Promise.resolve()): Part => ({
  name,
  run: async ({ stop }) => {
    await aborted(stop)
    await finish()
    ended.push(name)
  },
})

suite('run', () => {
  test('resolves when every part has finished what was in hand', async () => {
    const life = lifetime({ graceMs: hourMs })
    const ended: string[] = []
    const running = run([worker('a', ended), worker('b', ended)], life, log)
    assert.deepEqual(ended, [])
    life.end('enough')
    await running
    assert.deepEqual(ended, ['a', 'b'])
  })

  test('a part that rejects ends the others and is the failure of the whole', async () => {
    const life = lifetime({ graceMs: hourMs })
    const ended: string[] = []
    const failing = (message: string, after: AbortSignal): Part => ({
      name: message,
      run: async () => {
        await aborted(after)
        throw new Error(message)
      },
    })
    const parts = [worker('a', ended), failing('late', life.stop), failing('broken', AbortSignal.abort())]
    await assert.rejects(run(parts, life, log), /broken/)
    assert.deepEqual(ended, ['a'])
    assert.equal(life.stop.reason, 'broken failed')
  })

  test('a part that throws at once, or ends before stop, is a failure too', async () => {
    const throwing: Part = { name: 'throwing', run: () => assert.fail('at once') }
    await assert.rejects(run([throwing], lifetime({ graceMs: hourMs }), log), /at once/)
    const brief: Part = { name: 'brief', run: () => Promise.resolve() }
    await assert.rejects(
      run([brief], lifetime({ graceMs: hourMs }), log),
      /brief ended without having been told to stop/,
    )
  })

  test('a part that does not return after the deadline is named and left behind', async () => {
    const life = lifetime({ graceMs: 1 })
    const ended: string[] = []
    const stuck: Part = { name: 'stuck', run: () => new Promise(() => undefined) }
    const running = run([stuck, worker('a', ended)], life, log)
    life.end('enough')
    await assert.rejects(running, /stuck did not end in time and was left behind/)
    assert.deepEqual(ended, ['a'])
  })

  test('a last part gets its deadline when the others have ended, and not before', async () => {
    const life = lifetime({ graceMs: hourMs })
    const ended: string[] = []
    const health: Part = {
      name: 'health',
      last: true,
      run: async ({ deadline }) => {
        await aborted(deadline)
        ended.push('health')
      },
    }
    const gone = new AbortController()
    const running = run([health, worker('slow', ended, () => aborted(gone.signal)), worker('quick', ended)], life, log)
    life.end('enough')
    setImmediate(() => gone.abort())
    await running
    assert.deepEqual(ended, ['quick', 'slow', 'health'])
  })
})
