import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { suite, test, type TestContext } from 'node:test'

import { listen } from '#shared/runtime/listen.ts'
import { eventually } from '../../support/eventually.ts'

const hourMs = 3_600_000
const program = new URL('sample-process.ts', import.meta.url).pathname

type Options = { graceMs?: number; port?: number; environment?: Record<string, string> }

/** The sample process with what it printed so far, and how it ended. */
const startSample = (context: TestContext, behaviour: string, options: Options = {}) => {
  const { graceMs = hourMs, port = 0, environment = {} } = options
  const args = [program, behaviour, String(graceMs), String(port)]
  const child = spawn(process.execPath, args, { env: { ...process.env, ...environment } })
  context.after(() => child.kill('SIGKILL'))
  const printed = { out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed.out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (printed.err += text))
  const closed = once(child, 'close')
  return {
    printed,
    kill: (signal: NodeJS.Signals) => child.kill(signal),
    printing: (text: string) => eventually(() => printed.out.includes(text), text),
    exitCode: async () => ((await closed) as [number | null])[0],
    alive: () => child.exitCode === null && child.signalCode === null,
  }
}

suite('runProcess', () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    test(`exits with 0 after a clean stop by ${signal}`, async (context) => {
      const sample = startSample(context, 'clean')
      await sample.printing('ready')
      sample.kill(signal)
      assert.equal(await sample.exitCode(), 0)
      assert.match(sample.printed.out, /"msg":"stopped"}\n$/)
      assert.equal(sample.printed.err, '')
    })

  test('lets work in hand go on until the deadline', async (context) => {
    const sample = startSample(context, 'busy', { graceMs: 50 })
    await sample.printing('ready')
    sample.kill('SIGTERM')
    assert.equal(await sample.exitCode(), 0)
  })

  test('a second signal ends it at once with 128 + signal', async (context) => {
    const sample = startSample(context, 'stuck')
    await sample.printing('ready')
    sample.kill('SIGTERM')
    await sample.printing('stopping')
    sample.kill('SIGINT')
    assert.equal(await sample.exitCode(), 130)
    assert.match(sample.printed.out, /second signal/)
  })

  test('the echo of a Ctrl-C by npm is not a second signal, but the same signal later is', async (context) => {
    const sample = startSample(context, 'stuck')
    await sample.printing('ready')
    sample.kill('SIGINT')
    await sample.printing('stopping')
    sample.kill('SIGINT')
    const started = performance.now()
    await eventually(() => !(sample.alive() && sample.kill('SIGINT')), 'the end')
    assert.equal(await sample.exitCode(), 130)
    assert.ok(performance.now() - started > 200)
  })

  test('a part that does not end is named and left behind, exit code 1', async (context) => {
    const sample = startSample(context, 'stuck', { graceMs: 1 })
    await sample.printing('ready')
    sample.kill('SIGTERM')
    assert.equal(await sample.exitCode(), 1)
    assert.equal(sample.printed.err, 'sample: worker did not end in time and was left behind\n')
  })

  test('a start that does not end is given up after the deadline', async (context) => {
    const sample = startSample(context, 'stuck in start', { graceMs: 1 })
    await sample.printing('ready')
    sample.kill('SIGTERM')
    assert.equal(await sample.exitCode(), 1)
    assert.match(sample.printed.err, /did not finish starting/)
  })

  test('a part that fails is told in one sentence with its cause, and logged with its stack', async (context) => {
    const sample = startSample(context, 'failing')
    assert.equal(await sample.exitCode(), 1)
    assert.equal(sample.printed.err, 'sample: the queue is gone: Bearer [redacted]\n')
    assert.match(sample.printed.out, /"level":"error".*sample-process\.ts/)
  })

  for (const [behaviour, sentence] of [
    ['uncaught', 'nobody caught this'],
    ['unhandled', 'nobody handled this'],
    ['bug', 'undefined is not a function'],
  ] as const)
    test(`${behaviour}: a fault of the program is logged with its stack and ends it with 1`, async (context) => {
      const sample = startSample(context, behaviour)
      assert.equal(await sample.exitCode(), 1)
      assert.equal(sample.printed.err, `sample: ${sentence}\n`)
      assert.match(sample.printed.out, /"level":"fatal".*sample-process\.ts/)
    })

  test('a wrong environment is told problem by problem, and nothing else is printed', async (context) => {
    const sample = startSample(context, 'config')
    assert.equal(await sample.exitCode(), 1)
    assert.match(sample.printed.err, /^sample: FIRST is not set .*\nsample: SECOND is not set .*\n$/)
    assert.equal(sample.printed.out, '')
  })

  test('a wrong LOG_LEVEL is told with those that are right', async (context) => {
    const sample = startSample(context, 'clean', { environment: { LOG_LEVEL: 'loud' } })
    assert.equal(await sample.exitCode(), 1)
    assert.match(sample.printed.err, /^sample: LOG_LEVEL: "loud" is not one of trace, debug, .*LOG_LEVEL=info\n$/)
  })

  test('a port in use is told with the variable to set', async (context) => {
    const server = createServer()
    context.after(() => server.close())
    const { port } = await listen(server, '127.0.0.1', 0, 'PORT')
    const sample = startSample(context, 'port', { port })
    assert.equal(await sample.exitCode(), 1)
    assert.equal(sample.printed.err, `sample: port ${port} is taken by another process: set PORT to a free one\n`)
  })
})
