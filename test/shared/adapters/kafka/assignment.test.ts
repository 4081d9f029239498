import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import type { EachBatchPayload } from 'kafkajs'

import { openAssignment } from '#shared/adapters/kafka/assignment.ts'
import type { Task } from '#shared/adapters/record-runner.ts'

const topic = 't'

/** An assignment of partition 0, what it dispatched, resolved, paused and committed. */
const openTest = ({ window = 100 } = {}) => {
  const tasks: Task[] = []
  const resolved: string[] = []
  const committed: string[] = []
  const fetching = { paused: false }
  const assignment = openAssignment({ window, dispatch: (task) => void tasks.push(task) })
  const batchOf = (first: number, count: number) => {
    const messages = Array.from({ length: count }, (_, index) => ({
      offset: String(first + index),
      key: Buffer.from('k'),
      value: Buffer.from('v'),
      timestamp: '0',
      headers: {},
    }))
    const lastOffset = () => String(first + count - 1)
    const payload = {
      batch: { topic, partition: 0, messages, highWatermark: '1000', lastOffset },
      resolveOffset: (offset: string) => void resolved.push(offset),
      commitOffsetsIfNecessary: ({ topics }: { topics: { partitions: { offset: string }[] }[] }) => {
        committed.push(...topics.flatMap(({ partitions }) => partitions.map(({ offset }) => offset)))
        return Promise.resolve()
      },
      pause: () => {
        fetching.paused = true
        return () => (fetching.paused = false)
      },
    }
    // The parts of a payload that an assignment uses.
    return payload as unknown as EachBatchPayload
  }
  const take = (first: number, count: number) => assignment.take(batchOf(first, count))
  const join = () => assignment.adopt({ [topic]: [0] })
  return { assignment, tasks, resolved, committed, fetching, take, join }
}

suite("a member's partitions", () => {
  test('a batch is committed up to the first record that is not final', async () => {
    const { assignment, tasks, committed, take, join } = openTest()
    join()
    take(10, 3)
    assert.equal(await assignment.commit(), false)
    tasks[1]?.finish()
    assert.equal(await assignment.commit(), false)
    tasks[0]?.finish()
    assert.equal(await assignment.commit(), true)
    tasks[2]?.finish()
    await assignment.commit()
    assert.deepEqual(committed, ['12', '13'])
    assert.deepEqual(assignment.list(), [{ topic, partition: 0, lag: 987 }])
  })

  test('joining again gives up all that is in hand, and commits nothing of it', async () => {
    const { assignment, tasks, committed, take, join } = openTest()
    join()
    take(0, 2)
    join()
    assert.ok(tasks.every(({ signal }) => signal.aborted))
    tasks.forEach(({ finish }) => finish())
    await assignment.commit()
    assert.deepEqual(committed, [])
  })

  test('a batch that was fetched before the group was joined again is passed over, and so fetched again', () => {
    const { tasks, resolved, take, join } = openTest()
    join()
    take(0, 2)
    join()
    take(2, 2)
    assert.equal(tasks.length, 2)
    assert.deepEqual(resolved, ['1'])
    take(0, 2)
    assert.equal(tasks.length, 4)
  })

  test('a batch of a partition that is not assigned is left alone', () => {
    const { assignment, tasks, take } = openTest()
    assignment.adopt({ [topic]: [1] })
    take(0, 2)
    assert.deepEqual(tasks, [])
  })

  test('offsets that begin again are those of a log that was made anew', async () => {
    const { assignment, tasks, committed, take, join } = openTest()
    join()
    take(50, 2)
    take(0, 1)
    assert.deepEqual(
      tasks.map(({ signal }) => signal.aborted),
      [true, true, false],
    )
    tasks[2]?.finish()
    await assignment.commit()
    assert.deepEqual(committed, ['1'])
  })

  test('fetching pauses while too much is in hand', () => {
    const { assignment, tasks, fetching, take, join } = openTest({ window: 4 })
    join()
    take(0, 5)
    assert.equal(fetching.paused, true)
    tasks.slice(0, 2).forEach(({ finish }) => finish())
    assignment.resume()
    assert.equal(fetching.paused, true)
    tasks[2]?.finish()
    assignment.resume()
    assert.equal(fetching.paused, false)
  })

  test('a partition that is given up is not left paused', () => {
    const { fetching, take, join } = openTest({ window: 1 })
    join()
    take(0, 5)
    join()
    assert.equal(fetching.paused, false)
  })
})
