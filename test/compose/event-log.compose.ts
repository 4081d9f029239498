import { after } from 'node:test'

import { kafkaEventLog } from '#shared/adapters/kafka/event-log.ts'

import { eventLogContract } from '../contract/event-log.ts'
import { startContainerBroker } from '../support/kafka/container-broker.ts'
import { hasEngine, testName } from './engine.ts'

const broker = (await hasEngine()) ? await startContainerBroker(testName) : undefined
after(() => broker?.stop())

if (broker)
  eventLogContract('the Kafka adapter with the apache/kafka image', () => {
    const open = () => kafkaEventLog({ KAFKA_BROKERS: [broker.brokers] })
    const opened = [open()]
    const [log = open()] = opened
    return Promise.resolve({
      log,
      reopen: () => {
        const another = open()
        opened.push(another)
        return Promise.resolve(another)
      },
      dispose: async () => {
        await Promise.all(opened.map((handle) => handle.close()))
      },
    })
  })
