import assert from 'node:assert/strict'

import type { IntakeEvent } from '#shared/domain/events.ts'
import { jobId } from '#shared/domain/ids.ts'
import { parseKey } from '#shared/domain/keys.ts'
import type { LocalSystem } from '#shared/domain/local-mode.ts'

import { eventually } from './eventually.ts'
import type { PlannedFile } from './file-mix.ts'
import { countMessages, expectedEventIds, readEvents, receiveJobs } from './outside.ts'

/** What was uploaded, by key. */
export type Uploaded = ReadonlyMap<string, PlannedFile>

const verdictOf = (event: IntakeEvent) => {
  if (event.type === 'image.uploaded') return 'accepted'
  return event.type === 'image.rejected' ? event.data.reason : undefined
}

/** Waits until every upload has its event, every scan its job and the uploads queue is empty. */
export const waitForVerdicts = async (system: LocalSystem, uploaded: Uploaded, withinMs: number) => {
  const isSettled = async () => {
    const events = await readEvents(system)
    const settled = new Set(events.filter(verdictOf).map(({ subject }) => subject))
    const dispatched = new Set(events.filter(({ type }) => type === 'scan.dispatched').map(({ subject }) => subject))
    const scans = [...uploaded].filter(([, { purpose, expected }]) => purpose === 'scan' && expected === 'accepted')
    if (![...uploaded.keys()].every((key) => settled.has(key)) || !scans.every(([key]) => dispatched.has(key)))
      return false
    return (await countMessages(system, system.uploads_queue_url)) === 0
  }
  await eventually(isSettled, `verdicts on ${uploaded.size} uploads`, withinMs)
}

/**
 * What must be true whatever happened on the way: each upload has one right verdict under the id that its object gives,
 * ids of events are those of uploads and no others, and each good scan has exactly one job in the queue. `jobsLost`: the
 * queue itself was killed and keeps nothing, so a job may also be gone.
 */
export const checkOutcome = async (
  system: LocalSystem,
  uploaded: Uploaded,
  options: { repeatsAllowed: boolean; jobsLost?: boolean },
) => {
  const verdicts = (await readEvents(system)).filter((event) => verdictOf(event) !== undefined)
  const byKey = Map.groupBy(verdicts, ({ subject }) => subject)
  for (const [key, { expected }] of uploaded) {
    assert.deepEqual([...new Set(byKey.get(key)?.map(verdictOf))], [expected], key)
  }
  const typeOf = (key: string) => (uploaded.get(key)?.expected === 'accepted' ? 'image.uploaded' : 'image.rejected')
  const expectedIds = await expectedEventIds(system, typeOf)
  assert.deepEqual([...expectedIds.keys()].sort(), [...uploaded.keys()].sort(), 'the bucket holds the uploads, no more')
  assert.deepEqual(new Set(verdicts.map(({ id }) => id)), new Set(expectedIds.values()))
  if (!options.repeatsAllowed) assert.equal(verdicts.length, uploaded.size, 'no event is published twice')
  await checkJobs(system, uploaded, options.jobsLost ?? false)
  assert.equal(await countMessages(system, system.quarantine_queue_url), 0)
}

const checkJobs = async (system: LocalSystem, uploaded: Uploaded, jobsLost: boolean) => {
  const scans = [...uploaded].filter(([, { purpose, expected }]) => purpose === 'scan' && expected === 'accepted')
  const expected = scans.map(([key]) => {
    const parsed = parseKey(key)
    assert.ok(parsed.ok)
    return jobId(system.bucket, parsed.facts.key)
  })
  const jobs = (await receiveJobs(system)).map(({ job_id }) => job_id)
  const due = jobsLost ? expected.filter((id) => jobs.includes(id)) : expected
  assert.deepEqual(jobs.sort(), due.sort(), 'one job in the queue per good scan')
}
