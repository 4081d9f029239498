import { after, test } from 'node:test'

import { planFile, type PlannedFile } from '../support/file-mix.ts'
import { uploadFile } from '../support/client.ts'
import { startSystem, temporaryDirectory } from '../support/local-system.ts'
import { checkOutcome, waitForVerdicts } from '../support/mixed-run.ts'
import { chosenSeed, seededRandom } from '../support/random.ts'

const files = 1_000
const clients = 8
const directory = temporaryDirectory()
after(directory.remove)

test(`${files} mixed files from ${clients} clients at once give ${files} right verdicts and one job per good scan`, async (t) => {
  const seed = chosenSeed()
  t.diagnostic(`SEED=${seed}`)
  const random = seededRandom(seed)
  const running = await startSystem(directory.path)
  const uploaded = new Map<string, PlannedFile>()
  let planned = 0
  const client = async () => {
    while (planned < files) {
      const file = await planFile(random, planned++)
      uploaded.set(await uploadFile(running.system, file), file)
    }
  }
  try {
    await Promise.all(Array.from({ length: clients }, client))
    await waitForVerdicts(running.system, uploaded, 60_000)
    await checkOutcome(running.system, uploaded, { repeatsAllowed: false })
  } finally {
    await running.end('SIGTERM')
  }
})
