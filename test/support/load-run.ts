import assert from 'node:assert/strict'

import { paginateListObjectsV2 } from '@aws-sdk/client-s3'

import type { ImageType } from '#shared/domain/images/image-types.ts'
import type { LocalSystem } from '#shared/domain/local-mode.ts'
import type { Purpose } from '#shared/domain/purposes.ts'

import { openLocalEventLog } from '../../tools/support/local-system.ts'
import { openS3Of } from './client.ts'
import { forkClient } from './client-process.ts'
import { eventually } from './eventually.ts'
import { startSystem, temporaryDirectory } from './local-system.ts'
import { checkOutcome, waitForVerdicts, type Uploaded } from './mixed-run.ts'

export type LoadOrder = { system: LocalSystem; rate: number; count: number; seed: number }
export type StoredUpload = {
  key: string
  purpose: Purpose
  contentType: ImageType
  userId: string
  answeredAtMs: number
}
export type LoadReport = { stored: StoredUpload[]; failures: string[]; seconds: number }

/** Milliseconds since 1970, finer than the clock's: two processes of one machine compare them. */
export const epochMs = () => performance.timeOrigin + performance.now()

/**
 * Uploads at so many a second to a local system in a process of its own, and checks that nothing was lost and nothing
 * doubled: each PUT that was answered has one event id, one verdict, and one job where it was a scan.
 * @returns figures, in milliseconds from a PUT's answer until another process sees its event
 */
export const uploadAtRate = async (rate: number, count: number, seed: number) => {
  const directory = temporaryDirectory()
  const { system, died, end } = await startSystem(directory.path)
  const seen = await followEvents(system, ['image.uploaded'])
  const client = forkClient('load-client.ts')
  const order: LoadOrder = { system, rate, count, seed }
  client.tell(order)
  try {
    const { stored, failures, seconds } = (await Promise.race([client.report, died])) as LoadReport // our own client's
    assert.deepEqual(failures, [], 'every upload is answered')
    const uploaded = asUploaded(stored)
    assert.equal(uploaded.size, count)
    await Promise.race([waitForVerdicts(system, uploaded, 300_000), died])
    await eventually(() => seen.atMs.size >= count, 'the last event to be seen', 30_000)
    await checkOutcome(system, uploaded, { repeatsAllowed: true })
    await checkVerdicts(system, uploaded)
    const sorted = delaysOf(stored, seen).toSorted((a, b) => a - b)
    const at = (share: number) => Math.round(sorted[Math.floor(sorted.length * share)] ?? NaN)
    return { uploads_per_second: Math.round(count / seconds), p50_ms: at(0.5), p99_ms: at(0.99), max_ms: at(0.99999) }
  } finally {
    client.kill()
    await seen.end()
    await end('SIGTERM')
    directory.remove()
  }
}

export type Followed = Awaited<ReturnType<typeof followEvents>>

/** When each key's event was first seen, and all that was seen. */
export const followEvents = async (system: LocalSystem, topics: readonly string[]) => {
  const log = openLocalEventLog(system)
  const ended = new AbortController()
  const { signal } = ended
  const records = await log.read({ topics, from: 'end', follow: true, signal })
  const atMs = new Map<string, number>()
  const values: string[] = []
  const follow = async () => {
    for await (const { key, value } of records) {
      if (!atMs.has(key)) atMs.set(key, epochMs())
      values.push(value)
    }
  }
  const following = follow()
  const end = async () => {
    ended.abort()
    await following
    await log.close()
  }
  return { atMs, values, end }
}

/** From each PUT's answer until its event was seen, in milliseconds. */
export const delaysOf = (stored: readonly StoredUpload[], { atMs }: Followed): number[] =>
  stored.map(({ key, answeredAtMs }) => Math.max(0, (atMs.get(key) ?? NaN) - answeredAtMs))

const asUploaded = (stored: readonly StoredUpload[]): Uploaded =>
  new Map(
    stored.map(({ key, ...file }) => [
      key,
      { ...file, body: Buffer.alloc(0), expected: 'accepted' as const, pastTheApi: false },
    ]),
  )

export const checkVerdicts = async (system: LocalSystem, uploaded: Uploaded) => {
  const s3 = openS3Of(system)
  const keys: string[] = []
  for await (const { Contents = [] } of paginateListObjectsV2({ client: s3 }, { Bucket: system.state_bucket }))
    keys.push(...Contents.map(({ Key = '' }) => Key).filter((key) => key.startsWith('verdicts/')))
  s3.destroy()
  assert.deepEqual(keys.sort(), [...uploaded.keys()].map((key) => `verdicts/${key}`).sort(), 'one verdict per upload')
}
