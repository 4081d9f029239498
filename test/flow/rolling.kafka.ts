import { test } from 'node:test'

import { onKafka, openKafkaPlace } from '../support/kafka/place.ts'
import { chosenSeed } from '../support/random.ts'
import { uploadWhileRolling } from '../support/rolling-run.ts'
import { openSurroundings } from '../support/services.ts'

const { broker, directory } = await openKafkaPlace()

test(
  'every process is replaced three times under load on Kafka: no call fails, nothing is lost and nothing doubled',
  { skip: broker ? false : 'no broker' },
  async (t) => {
    const seed = chosenSeed()
    t.diagnostic(`SEED=${seed}`)
    const surroundings = await openSurroundings(directory.path, onKafka(broker))
    try {
      const figures = await uploadWhileRolling(surroundings, { rate: 20, times: 3, seconds: 0, seed })
      t.diagnostic(JSON.stringify(figures))
    } finally {
      await surroundings.close()
    }
  },
)
