import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { Kafka } from 'kafkajs'

import { openMember } from '#shared/adapters/kafka/member.ts'
import { OutageError } from '#shared/ports/failures.ts'

import { eventually } from '../../../support/eventually.ts'

type Listener = (event: { payload: Record<string, unknown> }) => void

/** A member whose kafkajs consumer connects for ever, and does what the test says. */
const openTest = () => {
  const listeners = new Map<string, Listener>()
  let disconnects = 0
  const consumer = {
    events: { HEARTBEAT: 'heartbeat', CRASH: 'crash', GROUP_JOIN: 'join' },
    on: (name: string, listener: Listener) => listeners.set(name, listener),
    connect: () => new Promise(() => undefined),
    disconnect: () => {
      disconnects++
      return Promise.resolve()
    },
  }
  const joins: unknown[] = []
  const member = openMember({
    // The parts of a client that a member uses.
    openClient: () => ({ consumer: () => consumer }) as unknown as Kafka,
    group: 'g',
    topics: ['t'],
    maxWaitMs: 100,
    onBatch: () => undefined,
    onJoin: (assigned) => joins.push(assigned),
    onFailure: () => undefined,
  })
  const emit = (name: string, payload: Record<string, unknown> = {}) => listeners.get(name)?.({ payload })
  return { member, emit, joins, disconnects: () => disconnects }
}

test('a member that its group does not answer is given up, however quietly kafkajs hangs', (context) => {
  const { member, emit } = openTest()
  let now = performance.now()
  context.mock.method(performance, 'now', () => now)
  now += 45_000
  member.checkLife()
  emit('heartbeat')
  now += 45_000
  member.checkLife()
  now += 10_000
  assert.throws(member.checkLife, OutageError)
})

test("a member's crash is its end, for the reason that kafkajs gives", () => {
  const { member, emit } = openTest()
  const error = new TypeError('it is a test')
  emit('crash', { error })
  assert.throws(member.checkLife, error)
})

test('a member that is closed while it joins leaves after the joining, and takes nothing', async () => {
  const { member, emit, joins, disconnects } = openTest()
  await member.close()
  assert.equal(disconnects(), 1)
  emit('join', { memberAssignment: { t: [0] } })
  await eventually(() => disconnects() === 2, 'leaving again')
  assert.deepEqual(joins, [])
})
