import assert from 'node:assert/strict'

import { dayMs } from '#shared/domain/purposes.ts'

import { runDispatcher, type Tally } from './process.ts'
import { resetOffsets, writeTopics, type Topics } from './topic.ts'
import { openWorld, type World } from './world.ts'

const minuteMs = 60_000

/** Dispatchers follow each other, after pauses of seconds, now and then of minutes, until one has read to the end. */
const runToEnd = async (world: World, topics: Topics, random: () => number): Promise<{ runs: number; sum: Tally }> => {
  const sum: Tally = {}
  for (let runs = 1; ; runs++) {
    const { end, tally } = await runDispatcher(world, topics, random)
    for (const [name, count] of Object.entries(tally)) sum[name] = (sum[name] ?? 0) + count
    if (end === 'finished') return { runs, sum }
    world.pass(random() < 0.1 ? random() * 12 * minuteMs : random() * 30_000)
  }
}

/** When the topics are read again from the beginning: inside the queue's memory or soon after, within the scans' days, after. */
const replayPauses = (random: () => number) => [random() * 40 * minuteMs, (1 + random() * 15) * dayMs, 40 * dayMs]

/**
 * Takes `scans` scans through dispatchers that fail in every way, then reads all again three times at later times.
 * @throws AssertionError or Error when a promise is broken
 * @returns how many sends were the second of their job, each inside the residue that docs/delivery.md admits
 */
export const simulateDispatch = async (scans: number, random: () => number) => {
  const topics = writeTopics(scans, random)
  const world = openWorld()
  const live = await runToEnd(world, topics, random)
  checkSent(world, topics, scans)

  world.beginReplay()
  const pauses = replayPauses(random)
  for (const [replay, pauseMs] of pauses.entries()) {
    world.pass(pauseMs)
    const isAfterAll = replay === pauses.length - 1
    if (isAfterAll) world.expireLedger()
    resetOffsets(topics)
    const { sum } = await runToEnd(world, topics, random)
    const { dispatched = 0, cancelled = 0, expired = 0 } = sum
    assert.equal(dispatched, 0, 'a replay dispatches nothing')
    if (isAfterAll) assert.ok(expired >= scans, 'what is not kept any more is expired')
    else assert.ok(cancelled >= topics.deleted.size && expired === 0, 'what was deleted is cancelled')
  }
  return { residue: world.residue(), runs: live.runs, records: topics.count, sum: live.sum }
}

/**
 * Each scan has its job, but for those whose image was deleted: these may, and one whose cancellation came between its send
 * and its entry is entered no more.
 */
const checkSent = ({ jobs }: World, { deleted }: Topics, scans: number) => {
  assert.equal(jobs.size, scans, 'as many job ids as scans')
  let missing = 0
  for (const facts of jobs.values()) {
    if (facts.accepts === 0) missing += facts.isCancelled ? 0 : 1
    else assert.ok(facts.isEntered || facts.isCancelled, 'what was sent is entered')
  }
  assert.equal(missing, 0, 'no job is missing')
  assert.equal([...jobs.values()].filter(({ isCancelled }) => isCancelled).length, deleted.size)
}
