import { after, test } from 'node:test'

import { startTestBroker } from '../support/kafka/broker.ts'
import { temporaryDirectory } from '../support/local-system.ts'
import { chosenSeed } from '../support/random.ts'
import { uploadWhileRolling } from '../support/rolling-run.ts'
import { openSurroundings } from '../support/services.ts'

const broker = await startTestBroker()
const directory = temporaryDirectory()
after(async () => {
  await broker?.stop()
  directory.remove()
})

test(
  'every process is replaced three times under load on Kafka: no call fails, nothing is lost and nothing doubled',
  { skip: broker ? false : 'no broker' },
  async (t) => {
    const seed = chosenSeed()
    t.diagnostic(`SEED=${seed}`)
    const surroundings = await openSurroundings(directory.path, {
      EVENT_LOG: 'kafka',
      KAFKA_BROKERS: broker?.brokers ?? '',
      KAFKA_REPLICATION: '1',
      KAFKA_MIN_INSYNC: '1',
    })
    try {
      const figures = await uploadWhileRolling(surroundings, { rate: 20, times: 3, seconds: 0, seed })
      t.diagnostic(JSON.stringify(figures))
    } finally {
      await surroundings.close()
    }
  },
)
