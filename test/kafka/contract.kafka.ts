import { after } from 'node:test'

import { kafkaEventLog } from '#shared/adapters/kafka/event-log.ts'

import { eventLogContract } from '../contract/event-log.ts'
import { startTestBroker } from '../support/kafka/broker.ts'

const broker = await startTestBroker()
after(() => broker?.stop())

if (broker)
  eventLogContract('the Kafka adapter', () => {
    const open = () => kafkaEventLog({ KAFKA_BROKERS: [broker.brokers] })
    const log = open()
    const opened = [log]
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
