import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { countEntries, appendScans, type Surroundings } from '../support/dispatch-run.ts'
import { eventually } from '../support/eventually.ts'
import { isProbe, startFaultyAws, type Fault } from '../support/faulty-aws.ts'
import { temporaryDirectory } from '../support/local-system.ts'
import { readEvents, receiveJobs } from '../support/outside.ts'
import { openSurroundings, startService } from '../support/services.ts'

const directory = temporaryDirectory()
const scans = 40
const patienceMs = 30_000
type Faulty = Awaited<ReturnType<typeof startFaultyAws>>
let surroundings: Surroundings
let s3: Faulty
let sqs: Faulty
let start: () => ReturnType<typeof startService>
let dispatcher: Awaited<ReturnType<typeof startService>>

before(async () => {
  surroundings = await openSurroundings(directory.path)
  s3 = await startFaultyAws(surroundings.environment.AWS_ENDPOINT_URL_S3)
  sqs = await startFaultyAws(surroundings.environment.AWS_ENDPOINT_URL_SQS)
  const through = { AWS_ENDPOINT_URL_S3: s3.url, AWS_ENDPOINT_URL_SQS: sqs.url }
  start = () => startService('scan-dispatcher', { ...surroundings.environment, ...through })
  dispatcher = await start()
})
after(async () => {
  await dispatcher.end('SIGTERM')
  await Promise.all([s3.close(), sqs.close(), surroundings.close()])
  directory.remove()
})

const readiness = async () => (await fetch(`${dispatcher.health}/readyz`)).status
const readMetrics = async () => (await fetch(`${dispatcher.health}/metrics`)).text()
const sumOf = (metrics: string, name: RegExp) =>
  [...metrics.matchAll(/^image_intake_(\S+) (\d+)$/gm)].reduce(
    (sum, [, one = '', count]) => sum + (name.test(one) ? Number(count) : 0),
    0,
  )
const waiting = async () => sumOf(await readMetrics(), /^dispatch_waiting$/)
const countsAddUp = async () => {
  const metrics = await readMetrics()
  const ends = sumOf(metrics, /^(scans_total|cancels_total|dispatch_abandoned_total)\{/)
  return sumOf(metrics, /^dispatch_in_hand$/) === 0 && sumOf(metrics, /^dispatch_taken_total\{/) === ends
}
const system = () => surroundings.describe('http://127.0.0.1:9')
let appended = 0

/** Young events of scans: the ledger is not asked before they are sent. */
const append = async () => {
  await appendScans(surroundings, scans, { ageMinutes: () => 0.5, duplicateShare: 0, random: Math.random })
  appended += scans
}
const allEntered = () =>
  eventually(async () => (await countEntries(system())) === appended, `${appended} jobs to be entered`, patienceMs)

/** Each job is in the queue once, and none was announced that is not. */
const checkJobs = async () => {
  const jobs = await receiveJobs(system())
  assert.equal(jobs.length, scans, 'one job for each scan')
  await eventually(countsAddUp, 'all that was taken to have its end', patienceMs)
  const announced = (await readEvents(system())).filter(({ type }) => type === 'scan.dispatched')
  assert.equal(new Set(announced.map(({ id }) => id)).size, appended)
  return announced.length
}
const probes = (faulty: Faulty) => faulty.calls.filter(isProbe).length

const faults: readonly Fault[] = ['away', 'throttled', 'deaf']

for (const [name, faultyOf] of [
  ['the queue', () => sqs],
  ['the ledger', () => s3],
] as const) {
  for (const fault of faults) {
    test(`while ${name} is ${fault} the partition waits, readiness is false and only the service is probed`, async () => {
      const faulty = faultyOf()
      faulty.be(fault)
      faulty.calls.length = 0
      await append()
      await eventually(async () => (await readiness()) === 503, 'readiness to be false', patienceMs)
      await eventually(async () => (await waiting()) > 0, 'records to wait', patienceMs)
      const before = probes(faulty)
      await eventually(() => probes(faulty) >= before + 5, 'the service to be probed', patienceMs)
      const work = faulty.calls.length - probes(faulty)
      // Of each record, or batch of records, one call and its repeat, before anyone knew.
      assert.ok(work <= 2 * scans, `${work} calls of work`)
      faulty.be('none')
      await allEntered()
      await eventually(async () => (await readiness()) === 200, 'readiness to be true', patienceMs)
      await eventually(async () => (await waiting()) === 0, 'no record to wait', patienceMs)
      assert.equal(await checkJobs(), appended, 'what was announced before the outage is not announced again')
    })
  }
}

for (const [name, faultyOf] of [
  ['a queue', () => sqs],
  ['a ledger', () => s3],
] as const) {
  test(`while ${name} takes all and answers nothing but probes, readiness is false; then each job is there once`, async () => {
    const faulty = faultyOf()
    faulty.be('silent')
    await append()
    await eventually(async () => (await readiness()) === 503, 'readiness to be false', patienceMs)
    faulty.be('none')
    await allEntered()
    await eventually(async () => (await readiness()) === 200, 'readiness to be true', patienceMs)
    await checkJobs()
  })
}

for (const [name, faultyOf, call] of [
  ['the queue has taken its jobs', () => sqs, /SendMessageBatch/],
  ['its first entries are written', () => s3, /^PUT /],
] as const) {
  test(`a dispatcher that is killed when ${name} leaves each scan one job to its successor`, async () => {
    const faulty = faultyOf()
    faulty.calls.length = 0
    faulty.be('silent')
    await append()
    await eventually(() => faulty.silentCalls().some((one) => call.test(one)), 'a call to be taken', patienceMs)
    await dispatcher.end('SIGKILL')
    faulty.be('none')
    dispatcher = await start()
    await allEntered()
    await checkJobs()
  })
}

test('a queue and a ledger that take every call twice have each job once', async () => {
  for (const faulty of [sqs, s3]) faulty.be('doubled')
  const dispatched = async () => sumOf(await readMetrics(), /^scans_total\{outcome="dispatched"\}$/)
  const before = await dispatched()
  await append()
  await allEntered()
  await checkJobs()
  assert.equal(await dispatched(), before + scans, 'whoever is told twice counts once')
  for (const faulty of [sqs, s3]) faulty.be('none')
})
