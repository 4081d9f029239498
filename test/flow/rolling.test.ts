import { after, test } from 'node:test'

import { temporaryDirectory } from '../support/local-system.ts'
import { chosenSeed } from '../support/random.ts'
import { uploadWhileRolling } from '../support/rolling-run.ts'
import { openSurroundings } from '../support/services.ts'

const directory = temporaryDirectory()
after(directory.remove)

test('every process is replaced three times under load: no call fails, nothing is lost and nothing doubled', async (t) => {
  const seed = chosenSeed()
  t.diagnostic(`SEED=${seed}`)
  const surroundings = await openSurroundings(directory.path)
  try {
    const figures = await uploadWhileRolling(surroundings, { rate: 20, times: 3, seconds: 0, seed })
    t.diagnostic(JSON.stringify(figures))
  } finally {
    await surroundings.close()
  }
})
