import { after, test } from 'node:test'

import { uploadUnderKills } from '../support/kill-run.ts'
import { temporaryDirectory } from '../support/local-system.ts'
import { checkOutcome, waitForVerdicts } from '../support/mixed-run.ts'
import { chosenSeed, seededRandom } from '../support/random.ts'

const directory = temporaryDirectory()
after(directory.remove)

test('a system killed at 5 random moments of an upload run loses nothing and invents nothing', async (t) => {
  const seed = chosenSeed()
  t.diagnostic(`SEED=${seed}`)
  const options = { dataPath: directory.path, files: 150, kills: 5, clients: 8, random: seededRandom(seed) }
  const { running, uploaded } = await uploadUnderKills(options)
  try {
    await waitForVerdicts(running.system, uploaded, 60_000)
    await checkOutcome(running.system, uploaded, { repeatsAllowed: true })
  } finally {
    await running.end('SIGTERM')
  }
})
