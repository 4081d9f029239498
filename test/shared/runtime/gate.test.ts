import assert from 'node:assert/strict'
import { suite, test, type TestContext } from 'node:test'

import { gate } from '#shared/runtime/gate.ts'
import { openLog } from '#shared/runtime/log.ts'
import { eventually } from '../../support/eventually.ts'

const never = new AbortController().signal

/** A gate to S3 and SQS whose answers the test decides: true, false or 'hang'. */
const openGate = (context: TestContext, options: { delayMs?: (attempt: number) => number } = { delayMs: () => 1 }) => {
  const answers: Record<'S3' | 'SQS', boolean | 'hang'> = { S3: true, SQS: true }
  const probed: string[] = []
  const lines: Record<string, unknown>[] = []
  const changes: boolean[] = []
  const ended = new AbortController()
  context.after(() => ended.abort())
  const probe = (name: 'S3' | 'SQS') => () => {
    probed.push(name)
    if (answers[name] === 'hang') return new Promise<never>(() => undefined)
    return answers[name] ? Promise.resolve() : Promise.reject(new Error('still away'))
  }
  const log = openLog({
    name: 'test',
    destination: { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
  })
  const opened = gate({
    probes: { S3: probe('S3'), SQS: probe('SQS') },
    log,
    signal: ended.signal,
    probeTimeoutMs: 20,
    onChange: (open) => changes.push(open),
    ...options,
  })
  return { gate: opened, answers, probed, lines, changes, end: () => ended.abort() }
}

suite('gate', () => {
  test('is open until shut, and opens when the dependency answers', async (context) => {
    const { gate, answers, probed, changes } = openGate(context)
    assert.equal(await gate.opened(never), true)
    answers.S3 = false
    gate.shut('S3', new Error('connection refused'))
    assert.equal(gate.open, false)
    await eventually(() => probed.length > 5, 'probes')
    assert.equal(gate.open, false)
    const opened = gate.opened(never)
    answers.S3 = true
    assert.equal(await opened, true)
    assert.equal(gate.open, true)
    assert.deepEqual([...new Set(probed)], ['S3'])
    assert.deepEqual(changes, [false, true])
  })

  test('logs one line when it closes and one when it opens, however many probes and shuts lie between', async (context) => {
    const { gate, answers, probed, lines } = openGate(context)
    answers.S3 = false
    for (let n = 0; n < 5; n++) gate.shut('S3', new Error('connection refused'))
    await eventually(() => probed.length > 5, 'probes')
    answers.S3 = true
    await gate.opened(never)
    assert.deepEqual(
      lines.map(({ level, dependency }) => [level, dependency]),
      [
        ['warn', 'S3'],
        ['info', 'S3'],
      ],
    )
    assert.match(JSON.stringify(lines[0]), /connection refused/)
    assert.ok(Number(lines[1]?.['awayMs']) > 0)
  })

  test('opens only when every dependency is back', async (context) => {
    const { gate, answers, lines, changes } = openGate(context)
    Object.assign(answers, { S3: false, SQS: false })
    gate.shut('S3', 'away')
    gate.shut('SQS', 'away')
    answers.S3 = true
    await eventually(() => lines.some(({ msg }) => msg === 'S3 is back'), 'S3 to be back')
    assert.equal(gate.open, false)
    answers.SQS = true
    assert.equal(await gate.opened(never), true)
    assert.deepEqual(changes, [false, true])
  })

  test('gives up a probe that hangs, and asks again', async (context) => {
    const { gate, answers, probed } = openGate(context)
    answers.S3 = 'hang'
    gate.shut('S3', 'away')
    await eventually(() => probed.length > 1, 'a second probe')
    answers.S3 = true
    assert.equal(await gate.opened(never), true)
  })

  test("waiting ends with false when the caller's signal or the gate's own aborts", async (context) => {
    const { gate, answers, probed, end } = openGate(context)
    answers.S3 = false
    gate.shut('S3', 'away')
    const controller = new AbortController()
    const [waiting, other] = [gate.opened(controller.signal), gate.opened(never)]
    controller.abort()
    assert.equal(await waiting, false)
    end()
    assert.equal(await other, false)
    assert.equal(gate.open, false)
    const { length } = probed
    assert.equal(await gate.opened(never), false)
    assert.equal(probed.length, length)
  })

  test('goes on with the backoff of one that goes away again at once', async (context) => {
    const asked: number[] = []
    const { gate } = openGate(context, { delayMs: (attempt) => asked.push(attempt) * 0 })
    for (let n = 0; n < 3; n++) {
      gate.shut('S3', 'away')
      await gate.opened(never)
    }
    assert.deepEqual(asked, [0, 1, 2])
  })

  test('knows only what it can probe', (context) => {
    assert.throws(() => openGate(context).gate.shut('Kafka', 'away'), /no probe for Kafka: it knows S3, SQS/)
  })

  test('by default notices a return within 2.5 s, in all of a long outage', async (context) => {
    const { gate, answers, probed } = openGate(context, {})
    answers.S3 = false
    gate.shut('S3', 'away')
    await eventually(() => probed.length >= 5, 'the backoff to reach its cap')
    answers.S3 = true
    const started = performance.now()
    await gate.opened(never)
    assert.ok(performance.now() - started < 2500)
  })
})
