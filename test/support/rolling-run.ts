import assert from 'node:assert/strict'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { addedField } from './added-field.ts'
import { tokenOf, type TestSystem } from './client.ts'
import { forkClient } from './client-process.ts'
import { eventually } from './eventually.ts'
import type { Instance } from './load-balancer.ts'
import { checkVerdicts, delaysOf, followEvents, type Followed } from './load-run.ts'
import { checkOutcome, waitForVerdicts, type Uploaded } from './mixed-run.ts'
import type { RolledUpload, RollingMessage, RollingOrder, RollingReport } from './rolling-client.ts'
import { seededRandom } from './random.ts'
import { startService, type openSurroundings, type ServiceName } from './services.ts'

type Surroundings = Awaited<ReturnType<typeof openSurroundings>>

const names: readonly ServiceName[] = ['api', 'upload-watcher', 'scan-dispatcher']
const instances = 2
/** Images whose metadata is asked for at once. */
const asked = 20

/**
 * Replaces every process of two instances of each service, in any order and so many times around, while a client uploads
 * through them at a steady rate: a new process stands before its predecessor is told to end. Every second time around the
 * new ones write as another version does. Checks that no call failed, nothing was lost and nothing doubled.
 * @returns figures; delays in milliseconds, of a ticket and from a PUT's answer until another process sees its event
 */
export const uploadWhileRolling = async (
  surroundings: Surroundings,
  options: { rate: number; times: number; seconds: number; seed: number },
) => {
  const { rate, times, seconds, seed } = options
  const random = seededRandom(seed)
  const running = await Promise.all(orderOfTurn(random).map(async (name) => startOne(surroundings, name, 0)))
  const apis = () => running.filter(({ name }) => name === 'api').map(instanceOf)
  const system = surroundings.describe(apis()[0]?.url ?? '')
  const seen = await followEvents(system, ['image.uploaded', 'image.rejected'])
  const client = openClient({ system, rate, seed })
  const ending: Promise<number | null>[] = []
  const turns = Array.from({ length: times }, (_, time) => orderOfTurn(random).map((name) => ({ name, time }))).flat()

  const endOne = async (one: Awaited<ReturnType<typeof startOne>>) => {
    const code = await one.end('SIGTERM')
    if (one.name === 'api') client.tell({ instances: apis() })
    return code
  }
  const replaceOldest = async ({ name, time }: { name: ServiceName; time: number }) => {
    const next = await startOne(surroundings, name, time + 1)
    const [oldest] = running.splice(
      running.findIndex((one) => one.name === name),
      1,
    )
    running.push(next)
    assert.ok(oldest)
    if (name === 'api') client.tell({ instances: [...apis(), instanceOf(oldest)] })
    ending.push(endOne(oldest))
  }
  try {
    client.tell({ instances: apis() })
    const startedAt = performance.now()
    const until = (share: number) => sleep(Math.max(0, share * seconds * 1000 - (performance.now() - startedAt)))
    for (const [index, turn] of turns.entries()) {
      await until(index / turns.length)
      await replaceOldest(turn)
    }
    await until(1)
    const codes = await Promise.all(ending)
    client.tell({ end: true })
    assert.deepEqual(
      codes,
      turns.map(() => 0),
      'every process ends well',
    )
    const report = (await client.report) as RollingReport // our own client's
    return {
      replaced: codes.length,
      ...(await checkReport({ ...system, api_url: apis()[0]?.url ?? '' }, report, seen)),
    }
  } finally {
    client.kill()
    await seen.end()
    await Promise.all(running.map(({ end }) => end('SIGTERM')))
  }
}

/** Each instance of each service once. */
const orderOfTurn = (random: () => number): ServiceName[] =>
  Array.from({ length: instances }, () => names)
    .flat()
    .map((name) => ({ name, at: random() }))
    .toSorted((one, other) => one.at - other.at)
    .map(({ name }) => name)

/** Every second generation is of another version. */
const startOne = async ({ environment }: Surroundings, name: ServiceName, generation: number) => {
  const another = { NODE_OPTIONS: `--import ${join(import.meta.dirname, 'another-version.ts')}` }
  const own = {
    RATE_LIMIT_PER_MINUTE: '0',
    UPLOADS_VISIBILITY_SECONDS: '30',
    DRAIN_SECONDS: '2',
    ...(generation % 2 === 1 && another),
  }
  return { name, ...(await startService(name, { ...environment, ...own })) }
}

const instanceOf = ({ url = '', health }: { url?: string; health: string }): Instance => ({ url, health })

const openClient = (order: RollingOrder) => {
  const client = forkClient('rolling-client.ts')
  const tell: (message: RollingMessage) => void = client.tell
  tell({ order })
  return { ...client, tell }
}

const checkReport = async (system: TestSystem, { stored, failures, seconds }: RollingReport, seen: Followed) => {
  assert.deepEqual(failures, [], 'no call of a client fails')
  const uploaded: Uploaded = new Map(
    stored.map((one) => [one.key, { ...one, body: Buffer.alloc(0), pastTheApi: false }]),
  )
  assert.equal(uploaded.size, stored.length)
  await waitForVerdicts(system, uploaded, 60_000)
  await eventually(() => stored.every(({ key }) => seen.atMs.has(key)), 'the last event to be seen', 30_000)
  await checkOutcome(system, uploaded, { repeatsAllowed: true })
  await checkVerdicts(system, uploaded)
  for (let from = 0; from < stored.length; from += asked)
    await Promise.all(stored.slice(from, from + asked).map((one) => checkStatus(system, one)))
  const strange = seen.values.filter((value) => value.includes(`"${addedField}"`)).length
  assert.ok(strange > 0 && strange < seen.values.length, 'both versions published')
  return {
    uploads: stored.length,
    uploads_per_second: Math.round(stored.length / seconds),
    repeated_events: seen.values.length - stored.length,
    ...describeDelays(
      'ticket',
      stored.map(({ ticketMs }) => ticketMs),
    ),
    ...describeDelays('event', delaysOf(stored, seen)),
  }
}

/** What the uploader is told in the end. */
const checkStatus = async (system: TestSystem, { key, userId, expected }: RolledUpload) => {
  const headers = { Authorization: `Bearer ${await tokenOf(userId, system.jwt_secret)}` }
  const told: unknown = await (await fetch(`${system.api_url}/images/${key}/metadata`, { headers })).json()
  const wanted = expected === 'accepted' ? { status: expected } : { status: 'rejected', reason: expected }
  assert.partialDeepStrictEqual(told, wanted)
}

const describeDelays = (what: string, delays: readonly number[]) => {
  const sorted = delays.toSorted((a, b) => a - b)
  const at = (share: number) => Math.round(sorted[Math.floor((sorted.length - 1) * share)] ?? NaN)
  return { [`${what}_p50_ms`]: at(0.5), [`${what}_p99_ms`]: at(0.99), [`${what}_max_ms`]: at(1) }
}
