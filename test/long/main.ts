import { parseArgs } from 'node:util'

import { checkMutations } from '../services/upload-watcher/notification-mutations.ts'
import { watchMemory } from '../support/api-memory.ts'
import { simulateDispatch } from '../support/dispatch-simulation/simulate.ts'
import { uploadUnderKills } from '../support/kill-run.ts'
import { uploadAtRate } from '../support/load-run.ts'
import { temporaryDirectory } from '../support/local-system.ts'
import { checkOutcome, waitForVerdicts } from '../support/mixed-run.ts'
import { chosenSeed, seededRandom } from '../support/random.ts'
import { uploadWhileRolling } from '../support/rolling-run.ts'
import { openSurroundings } from '../support/services.ts'
import { tamperWithTickets } from '../support/tampers.ts'

/** Runs that are too long for `npm test`. Each gets a seed and a count, and throws when a promise is broken. */
type LongRun = { name: string; defaultCount: number; run: (random: () => number, count: number) => Promise<void> }

const killRun: LongRun = {
  name: 'kills',
  defaultCount: 1_000,
  run: async (random, files) => {
    const directory = temporaryDirectory()
    const options = { dataPath: directory.path, files, kills: 20, clients: 8, random }
    const { running, uploaded } = await uploadUnderKills(options)
    try {
      await waitForVerdicts(running.system, uploaded, 120_000)
      await checkOutcome(running.system, uploaded, { repeatsAllowed: true })
    } finally {
      await running.end('SIGTERM')
      directory.remove()
    }
  },
}

const notificationRun: LongRun = {
  name: 'notifications',
  defaultCount: 1_000_000,
  run: (random, count) => {
    checkMutations(count, Math.floor(random() * 2 ** 31))
    return Promise.resolve()
  },
}

const tamperRun: LongRun = { name: 'tampers', defaultCount: 50_000, run: tamperWithTickets }

const memoryRun: LongRun = { name: 'api-memory', defaultCount: 1_000_000, run: watchMemory }

const dispatcherRun: LongRun = {
  name: 'dispatcher',
  defaultCount: 1_000_000,
  run: async (random, scans) => {
    const { residue, runs } = await simulateDispatch(scans, random)
    process.stdout.write(`${runs} dispatchers, ${residue} second sends inside the residue; `)
  },
}

const { values, positionals } = parseArgs({
  options: {
    seed: { type: 'string' },
    count: { type: 'string' },
    rate: { type: 'string' },
    seconds: { type: 'string', default: '60' },
  },
  allowPositionals: true,
})
const seconds = Number(values.seconds)

/** `--rate` uploads a second for `--seconds`, with the whole system and its client on this machine. */
const loadRate = Number(values.rate ?? 500)
const loadRun: LongRun = {
  name: 'load',
  defaultCount: loadRate * seconds,
  run: async (random, count) => {
    const figures = await uploadAtRate(loadRate, count, Math.floor(random() * 2 ** 31))
    console.log(JSON.stringify({ rate: loadRate, ...figures }))
  },
}

/** `--rate` uploads a second for `--seconds`, while every process is replaced `--count` times. */
const rollingRun: LongRun = {
  name: 'rolling',
  defaultCount: 3,
  run: async (random, times) => {
    const directory = temporaryDirectory()
    const surroundings = await openSurroundings(directory.path)
    const rate = Number(values.rate ?? 100)
    try {
      const options = { rate, times, seconds, seed: Math.floor(random() * 2 ** 31) }
      console.log(JSON.stringify({ rate, ...(await uploadWhileRolling(surroundings, options)) }))
    } finally {
      await surroundings.close()
      directory.remove()
    }
  },
}

const runs: readonly LongRun[] = [killRun, notificationRun, tamperRun, memoryRun, dispatcherRun, loadRun, rollingRun]

const chosen = runs.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
if (chosen.length === 0)
  throw new Error(`there is no such run: the runs are ${runs.map(({ name }) => name).join(', ')}`)

let failed = 0
for (const { name, defaultCount, run } of chosen) {
  const seed = Number(values.seed ?? chosenSeed())
  const count = Number(values.count ?? defaultCount)
  process.stdout.write(`${name} --seed ${seed} --count ${count}: `)
  const started = performance.now()
  try {
    await run(seededRandom(seed), count)
    console.log(`passed in ${((performance.now() - started) / 1000).toFixed(0)} s`)
  } catch (error) {
    failed++
    console.log('FAILED')
    console.error(error)
  }
}
console.log(`${chosen.length - failed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
