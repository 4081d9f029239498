import { test } from 'node:test'

import { Kafka, logLevel } from 'kafkajs'

import { dispatchUnderKills } from '../support/dispatch-run.ts'
import { onKafka, openKafkaPlace } from '../support/kafka/place.ts'
import { chosenSeed, seededRandom } from '../support/random.ts'
import { openSurroundings } from '../support/services.ts'

const scans = 2_000
const { broker, directory } = await openKafkaPlace()

const groupId = 'scan-dispatcher'

const resetOffsets = async (brokers: string) => {
  const admin = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  for (const topic of ['image.uploaded', 'image.deleted']) await admin.resetOffsets({ groupId, topic, earliest: true })
  await admin.disconnect()
}

test(
  `${scans} scans of a Kafka topic have one job each, through kills, a rebalance and a reset`,
  { skip: broker ? false : 'no broker' },
  async (t) => {
    const seed = chosenSeed()
    t.diagnostic(`SEED=${seed}`)
    const brokers = broker?.brokers ?? ''
    const surroundings = await openSurroundings(directory.path, onKafka(broker))
    const reset = () => resetOffsets(brokers)
    try {
      await dispatchUnderKills(surroundings, { scans, random: seededRandom(seed), resetOffsets: reset })
    } finally {
      await surroundings.close()
    }
  },
)
