import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { after, test } from 'node:test'

import { dispatchUnderKills } from '../support/dispatch-run.ts'
import { temporaryDirectory } from '../support/local-system.ts'
import { chosenSeed, seededRandom } from '../support/random.ts'
import { openSurroundings } from '../support/services.ts'

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
