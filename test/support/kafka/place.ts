import { after } from 'node:test'

import { temporaryDirectory } from '../local-system.ts'
import { startTestBroker, type TestBroker } from './broker.ts'

/** A broker and a directory for the tests of one file; both go with them. */
export const openKafkaPlace = async () => {
  const broker = await startTestBroker()
  const directory = temporaryDirectory()
  after(async () => {
    await broker?.stop()
    directory.remove()
  })
  return { broker, directory }
}

/** What services need to be told to have that broker, which is alone, for their event log. */
export const onKafka = (broker: Pick<TestBroker, 'brokers'> | undefined) => ({
  EVENT_LOG: 'kafka',
  KAFKA_BROKERS: broker?.brokers ?? '',
  KAFKA_REPLICATION: '1',
  KAFKA_MIN_INSYNC: '1',
})
