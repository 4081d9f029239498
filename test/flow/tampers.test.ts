import test from 'node:test'

import { chosenSeed, seededRandom } from '../support/random.ts'
import { tamperWithTickets } from '../support/tampers.ts'

test('of 2,400 tickets with one byte of URL, locked header or body changed the local S3 takes none', async (context) => {
  const seed = chosenSeed()
  context.diagnostic(`SEED=${seed}`)
  await tamperWithTickets(seededRandom(seed), 2_400)
})
