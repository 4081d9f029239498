import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { handleRecord } from '#shared/adapters/record-handling.ts'
import { eventRecord } from '#shared/domain/events.ts'
import type { NewRecord } from '#shared/ports/event-log.ts'

import type { Around } from '../../support/fakes/intercept.ts'
import { deletedEvent, recordOf, uploadedAt, uploadedEvent } from './events.ts'
import { openSurroundings, startDispatcher, type Surroundings } from './world.ts'

/** The process dies before or after the call has its effect. */
type End = 'before' | 'after'

const early = new Date(uploadedAt.getTime() - 3_600_000)
const records = [
  uploadedEvent('scan', 1),
  uploadedEvent('scan', 2, { at: early }),
  uploadedEvent('chat', 3),
  deletedEvent('scan', 4),
  uploadedEvent('scan', 4),
  uploadedEvent('scan', 1),
  uploadedEvent('scan', 5),
].map((event) => recordOf(event.type, eventRecord(event).value))
const poison = recordOf('image.uploaded', 'no JSON')
const never = new AbortController().signal

/** One process takes all records in their order; resolves with the call that it died at, if it did. */
const runProcess = async (world: Surroundings, letters: NewRecord[], at: number, end: End) => {
  const died = Promise.withResolvers<string>()
  let calls = 0
  const around: Around = async (call, proceed) => {
    if (++calls !== at) return proceed()
    if (end === 'after') await proceed()
    died.resolve(call)
    return new Promise<never>(() => undefined)
  }
  const { handle } = startDispatcher(world, { around })
  const append = (added: readonly NewRecord[]) => Promise.resolve(void letters.push(...added))
  const work = async () => {
    for (const record of [...records, poison])
      await handleRecord(record, { handle, append, signal: never, stop: never })
    return undefined
  }
  return Promise.race([work(), died.promise])
}

const left = ({ jobs, ledger, events }: Surroundings) => ({
  jobs: jobs.jobs.map(({ job_id }) => job_id).sort(),
  facts: [...ledger.facts].sort(),
  // The id of what was announced.
  announced: [...new Set(events.records.map(({ value }) => (JSON.parse(value) as { id: string }).id))].sort(),
})

const finish = async (world: Surroundings, letters: NewRecord[]) => {
  assert.equal(await runProcess(world, letters, Infinity, 'before'), undefined)
}

/** The one window in which a job may be sent twice: the queue has it, the ledger does not, and 5 minutes pass. */
const residue = (call: string, end: End) =>
  `${end} ${call}` === 'after jobs.send' || call === 'events.append' || `${end} ${call}` === 'before ledger.enter'

suite('a dispatcher that dies at any call', () => {
  for (const [downSeconds, end] of [
    [10, 'before'],
    [10, 'after'],
    [280, 'before'],
    [280, 'after'],
    [7_200, 'before'],
    [7_200, 'after'],
  ] as const) {
    test(`(${end} its effect) and comes back ${downSeconds} s later has sent each job, and each once`, async () => {
      const clean = openSurroundings()
      await finish(clean, [])
      const expected = left(clean)
      assert.deepEqual([expected.jobs.length, expected.facts.length, expected.announced.length], [3, 4, 3])
      const seen = new Set<string>()
      for (let at = 1; ; at++) {
        const world = openSurroundings()
        const letters: NewRecord[] = []
        const call = await runProcess(world, letters, at, end)
        if (call === undefined) break
        seen.add(call)
        world.pass(downSeconds)
        await finish(world, letters)
        const { jobs, ...others } = left(world)
        const once = downSeconds > 300 && residue(call, end) ? [...new Set(jobs)] : jobs
        assert.deepEqual({ jobs: once, ...others }, expected, `died ${end} call ${at}, ${call}`)
        assert.ok(letters.length > 0 && letters.every(({ value }) => value === 'no JSON'))
      }
      const calls = ['events.append', 'jobs.send', 'ledger.cancel', 'ledger.enter', 'ledger.find']
      assert.deepEqual([...seen].sort(), calls)
    })
  }
})
