import { after, before, suite, test } from 'node:test'

import type { PlannedFile } from '../support/file-mix.ts'
import { checkOutcome, waitForVerdicts } from '../support/mixed-run.ts'
import { chosenSeed, seededRandom } from '../support/random.ts'
import { hasEngine } from './engine.ts'
import { uploadDuring, type Run } from './run.ts'
import { startComposeSystem, type ComposeSystem } from './system.ts'

const canRun = await hasEngine()
const patienceMs = 300_000

suite('containers that are killed in the middle of an upload run', { skip: !canRun }, () => {
  const seed = chosenSeed()
  const random = seededRandom(seed)
  const uploaded = new Map<string, PlannedFile>()
  let running: ComposeSystem
  before(async () => {
    running = await startComposeSystem()
  })
  after(() => running.down())

  const endAndUp = async ({ progress }: Run, end: 'kill' | 'stop', service: string) => {
    await progress(8)
    await running.compose(end, service)
    await running.up()
  }

  test('each service and the broker killed, the store stopped, and up again: nothing is lost, no job is made twice', async (t) => {
    t.diagnostic(`SEED=${seed}`)
    await uploadDuring(running, uploaded, random, async (run) => {
      for (const service of ['api', 'upload-watcher', 'scan-dispatcher', 'kafka']) await endAndUp(run, 'kill', service)
      await endAndUp(run, 'stop', 'store')
      await run.progress(8)
    })
    await waitForVerdicts(running.system, uploaded, patienceMs)
    await checkOutcome(running.system, uploaded, { repeatsAllowed: true })
  })

  test('the store killed, its queues forgotten, and up again: every object is there and has its verdict', async (t) => {
    t.diagnostic(`SEED=${seed}`)
    await uploadDuring(running, uploaded, random, async (run) => {
      await endAndUp(run, 'kill', 'store')
      await run.progress(8)
    })
    // What was stored while the store's settings were not yet back has no notification.
    await running.up()
    await waitForVerdicts(running.system, uploaded, patienceMs)
    await checkOutcome(running.system, uploaded, { repeatsAllowed: true, jobsLost: true })
  })
})
