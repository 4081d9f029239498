import assert from 'node:assert/strict'

import { paginateListObjectsV2 } from '@aws-sdk/client-s3'

import { eventLogVariables, openEventLog } from '#shared/adapters/event-log.ts'
import { announceVerdict } from '#shared/domain/announce.ts'
import { eventRecord } from '#shared/domain/events.ts'
import { makeKey } from '#shared/domain/keys.ts'
import { readConfig } from '#shared/runtime/config.ts'

import { openS3Of, type TestSystem } from './client.ts'
import { eventually } from './eventually.ts'
import { newId } from './file-mix.ts'
import { receiveJobs } from './outside.ts'
import { startService, type openSurroundings } from './services.ts'

const patienceMs = 120_000
const minuteMs = 60_000
const image = { kind: 'image', type: 'image/jpeg', width: 64, height: 48, animated: false } as const

export type Surroundings = Awaited<ReturnType<typeof openSurroundings>>
type Dispatcher = Awaited<ReturnType<typeof startService>>

/** Publishes image.uploaded of so many scans, in any order and some of them twice. @returns how many records */
export const appendScans = async (
  { environment }: Surroundings,
  scans: number,
  options: { ageMinutes: () => number; duplicateShare: number; random: () => number },
) => {
  const { ageMinutes, duplicateShare, random } = options
  const place = { bucket: environment.S3_BUCKET, cdnBaseUrl: environment.CDN_BASE_URL }
  const writeScan = (index: number) => {
    const lastModified = new Date(Date.now() - ageMinutes() * minuteMs)
    const parts = { purpose: 'scan', userId: `user-${index % 100}`, id: newId(), now: lastModified } as const
    const made = makeKey(parts)
    assert.ok(made.ok)
    const { key } = made.facts
    const object = { key, size: 1000, contentType: 'image/jpeg', etag: 'abc', lastModified, metadata: {} }
    return eventRecord(announceVerdict(place, made.facts, object, { kind: 'accepted', image }))
  }
  const once = Array.from({ length: scans }, (_, index) => writeScan(index))
  const all = [...once, ...once.filter(() => random() < duplicateShare)]
  const shuffled = all.map((record) => ({ record, turn: random() })).sort((one, other) => one.turn - other.turn)
  const log = openEventLog(readConfig(eventLogVariables, environment))
  await log.append(shuffled.map(({ record }) => record))
  await log.close()
  return shuffled.length
}

/** How many jobs the ledger knows: each was accepted and announced before. */
export const countEntries = async (system: TestSystem): Promise<number> => {
  const s3 = openS3Of(system)
  let count = 0
  for await (const page of paginateListObjectsV2({ client: s3 }, { Bucket: system.state_bucket, Prefix: 'jobs/' }))
    count += page.Contents?.length ?? 0
  s3.destroy()
  return count
}

/** A dispatcher's records of image.uploaded, by outcome. */
export const readOutcomes = async ({ health }: Dispatcher): Promise<Record<string, number>> => {
  const text = await (await fetch(`${health}/metrics`)).text()
  const lines = text.matchAll(/^image_intake_scans_total\{outcome="(\w+)"\} (\d+)$/gm)
  return Object.fromEntries([...lines].map(([, outcome = '', count]) => [outcome, Number(count)]))
}

/**
 * Real dispatchers take so many scans to their jobs: one is killed, two share the work, one of the two is killed, another
 * comes and one leaves in peace. Then the group's offsets are reset while nobody consumes and the queue forgets: all is
 * read again, and nothing is sent.
 */
export const dispatchUnderKills = async (
  surroundings: Surroundings,
  options: { scans: number; random: () => number; resetOffsets: () => Promise<void> | void },
): Promise<void> => {
  const { scans, random, resetOffsets } = options
  const { environment } = surroundings
  const system = surroundings.describe('http://127.0.0.1:9')
  const start = () => startService('scan-dispatcher', environment)
  const reached = (share: number) =>
    eventually(async () => (await countEntries(system)) >= scans * share, `${share} of all jobs`, patienceMs)
  // Old enough that the ledger is asked of each.
  const ageMinutes = () => 6 + random() * 60
  const records = await appendScans(surroundings, scans, { ageMinutes, duplicateShare: 0.3, random })

  const first = await start()
  await reached(0.1 + random() * 0.1)
  await first.end('SIGKILL')
  const second = await start()
  await reached(0.3 + random() * 0.1)
  const third = await start()
  await reached(0.5 + random() * 0.1)
  await second.end('SIGKILL')
  const fourth = await start()
  await reached(0.7 + random() * 0.1)
  assert.equal(await third.end('SIGTERM'), 0)
  await reached(1)
  assert.equal(await fourth.end('SIGTERM'), 0)

  await resetOffsets()
  surroundings.pass(301)
  const again = await start()
  const outcomes = await eventually(
    async () => {
      const found = await readOutcomes(again)
      return Object.values(found).reduce((sum, count) => sum + count, 0) >= records ? found : undefined
    },
    'all records to be read again',
    patienceMs,
  )
  assert.equal(await again.end('SIGTERM'), 0)
  const { already_dispatched: known, ...others } = outcomes
  assert.deepEqual([known, Object.values(others).filter((count) => count > 0)], [records, []])

  assert.equal(await countEntries(system), scans)
  const jobs = await receiveJobs(system)
  assert.equal(jobs.length, scans, 'no job is missing and none is there twice')
  assert.equal(new Set(jobs.map(({ job_id }) => job_id)).size, scans)
}
