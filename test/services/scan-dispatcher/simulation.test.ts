import assert from 'node:assert/strict'
import test from 'node:test'

import { simulateDispatch } from '../../support/dispatch-simulation/simulate.ts'
import { chosenSeed, seededRandom } from '../../support/random.ts'

const scans = 20_000

test(`${scans} scans through repeats, reorder, outages, crashes and three replays have one job each`, async (t) => {
  const seed = chosenSeed()
  t.diagnostic(`SEED=${seed}`)
  const { residue, runs, records } = await simulateDispatch(scans, seededRandom(seed))
  t.diagnostic(`${records} records, ${runs} dispatchers, ${residue} second sends after an accept without an entry`)
  assert.ok(runs > 10)
})
