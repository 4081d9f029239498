import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import assert from 'node:assert/strict'
import { after, test } from 'node:test'

import { appendScans, countEntries, dispatchUnderKills, readOutcomes } from '../support/dispatch-run.ts'
import { temporaryDirectory } from '../support/local-system.ts'
import { chosenSeed, seededRandom } from '../support/random.ts'
import { eventually } from '../support/eventually.ts'
import { receiveJobs } from '../support/outside.ts'
import { openSurroundings, startService } from '../support/services.ts'

const scans = 2_000
const directory = temporaryDirectory()
after(directory.remove)

/** As nobody but a test does it: the file has no command for that. */
const resetOffsets = () => {
  const log = new DatabaseSync(join(directory.path, 'events.sqlite'))
  log.exec("UPDATE positions SET committed = 0 WHERE group_name = 'scan-dispatcher'")
  log.close()
}

test(`${scans} scans of the embedded log have one job each, through kills, a second dispatcher and a reset`, async (t) => {
  const seed = chosenSeed()
  t.diagnostic(`SEED=${seed}`)
  const surroundings = await openSurroundings(directory.path)
  try {
    await dispatchUnderKills(surroundings, { scans, random: seededRandom(seed), resetOffsets })
  } finally {
    await surroundings.close()
  }
})

test('a second group beside the first reads the whole log, old and young, and sends nothing twice', async () => {
  const place = temporaryDirectory()
  const surroundings = await openSurroundings(place.path)
  const { environment } = surroundings
  const dispatchers: Awaited<ReturnType<typeof startService>>[] = []
  const random = seededRandom(1)
  const [old, young] = [100, 50]
  try {
    const system = surroundings.describe('')
    await appendScans(surroundings, old, { ageMinutes: () => 6, duplicateShare: 0, random })
    await appendScans(surroundings, young, { ageMinutes: () => 0.1, duplicateShare: 0, random })
    dispatchers.push(await startService('scan-dispatcher', environment))
    await eventually(async () => (await countEntries(system)) === old + young, 'all jobs', 60_000)
    const replay = await startService('scan-dispatcher', { ...environment, KAFKA_GROUP_ID: 'replay-1' })
    dispatchers.push(replay)
    const sum = (counts: Record<string, number>) => Object.values(counts).reduce((one, other) => one + other, 0)
    await eventually(async () => sum(await readOutcomes(replay)) === old + young, 'the replay', 60_000)
    assert.equal((await readOutcomes(replay))['already_dispatched'], old + young)
    assert.equal((await receiveJobs(system)).length, old + young)
  } finally {
    await Promise.all(dispatchers.map(({ end }) => end('SIGTERM')))
    await surroundings.close()
    place.remove()
  }
})
