import assert from 'node:assert/strict'

import { keyedScheduler } from '#shared/adapters/keyed-scheduler.ts'
import { handleRecord } from '#shared/adapters/record-handling.ts'
import { OutageError, type Dependency } from '#shared/ports/failures.ts'
import { sendWithinMs } from '#shared/ports/job-queue.ts'
import { openLog } from '#shared/runtime/log.ts'

import { openDispatcher } from '../../../services/scan-dispatcher/dispatcher.ts'
import { recordsInHand } from '../../../services/scan-dispatcher/records-in-hand.ts'
import { intercept, type Around } from '../fakes/intercept.ts'
import { commitAll, readTopics, type Topics } from './topic.ts'
import type { World } from './world.ts'

const concurrency = 30
const chances = { crash: 1 / 2_500, giveUp: 1 / 4_000, early: 1 / 100, late: 1 / 100, bug: 1 / 500, slow: 1 / 500 }
const silent = openLog({ name: 'simulation', level: 'silent' })
const never = new AbortController().signal

const dependencies: Readonly<Record<string, Dependency>> = { jobs: 'SQS', ledger: 'S3', events: 'the event log' }

export type Tally = Record<string, number>
export type End = 'finished' | 'crashed' | 'gave up'

/**
 * One dispatcher, from the committed offsets on until nothing is left or it ends before. A crash lets nothing come back
 * from calls under way; one whose partitions are taken away goes on with its calls while its successor begins.
 */
export const runDispatcher = async (
  world: World,
  topics: Topics,
  random: () => number,
): Promise<{ end: End; tally: Tally }> => {
  const ended = Promise.withResolvers<End>()
  const grave = new Promise<never>(() => undefined)
  const given = new AbortController()
  let diedMs: number | undefined
  const isDead = () => diedMs !== undefined

  /** Calls return in whatever order; those of one that gave up drag on into its successor's time. */
  const dally = async () => {
    for (let turns = Math.floor(random() * (given.signal.aborted ? 500 : 4)); turns > 0; turns--)
      await Promise.resolve()
  }
  const die = () => {
    diedMs = world.nowMs()
    ended.resolve('crashed')
    return grave
  }
  const giveUp = () => {
    given.abort()
    ended.resolve('gave up')
  }
  const outage = (call: string) => new OutageError(dependencies[call.split('.')[0] ?? ''] ?? 'S3', `${call} failed`)
  const around: Around = async (call, proceed) => {
    const startedMs = world.nowMs()
    await dally()
    if (isDead()) return grave
    const dice = random()
    if (dice < chances.crash / 2) return die()
    if (random() < chances.giveUp) giveUp()
    if (random() < chances.early) throw outage(call)
    if (random() < chances.bug) throw new TypeError('a bug')
    if (call === 'jobs.send' && random() < chances.slow) world.pass(random() * sendWithinMs)
    if (call === 'jobs.send' && world.nowMs() - startedMs > sendWithinMs) throw outage(call)
    const result = await proceed()
    if (dice < chances.crash) return die()
    if (random() < chances.late) throw outage(call)
    await dally()
    return isDead() ? grave : result
  }

  const tally: Tally = {}
  const count = (name: string) => void (tally[name] = (tally[name] ?? 0) + 1)
  const inHand = recordsInHand()
  const events = {
    append: (records: readonly { value: string }[]) => {
      for (const { value } of records) world.announce(/"job_id":"(\w+)"/.exec(value)?.[1] ?? '')
      return Promise.resolve()
    },
  }
  const handle = openDispatcher({
    jobs: intercept('jobs', world.queue, around),
    ledger: intercept('ledger', world.ledger, around),
    events: intercept('events', events, around),
    purposes: ['scan'],
    now: world.now,
    log: silent,
    metrics: {
      taken: () => count('taken'),
      abandoned: () => count('abandoned'),
      uploaded: count,
      deleted: (outcome) => count(`deletion ${outcome}`),
    },
    inHand,
    gate: {
      shut: () => undefined,
      opened: () => {
        world.pass(random() < 0.01 ? random() * 900_000 : random() * 1_000)
        return Promise.resolve(true)
      },
    },
  })
  const handling = {
    handle,
    append: () => {
      ended.reject(world.violation() ?? new Error('a record became a dead letter'))
      return grave
    },
    signal: given.signal,
    stop: never,
    retryDelayMs: () => 0,
    outageDelayMs: () => 0,
  }

  const scheduler = keyedScheduler(concurrency)
  const reader = readTopics(topics, world.nowMs, random)
  const flow = async () => {
    for (let one = reader.take(); one && !isDead() && !given.signal.aborted; one = reader.take()) {
      const { record, atMs, finish } = one
      world.reach(atMs)
      await scheduler.run(record.key, async () => {
        const { kind } = await handleRecord(record, handling)
        if (kind === 'final' && !isDead() && !given.signal.aborted) finish()
      })
    }
  }
  const flows = Promise.all(Array.from({ length: concurrency }, flow))
  void flows.then(() => ended.resolve('finished'), ended.reject)
  const end = await ended.promise
  if (end === 'finished') commitAll(topics)
  checkTally(tally, inHand.count().inHand)
  return { end, tally }
}

const checkTally = ({ taken = 0, ...ends }: Tally, inHand: number) => {
  const sum = Object.values(ends).reduce((all, one) => all + one, inHand)
  assert.equal(sum, taken, 'the counts add up')
}
