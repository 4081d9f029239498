import { Kafka, logLevel } from 'kafkajs'

/** Producing and consuming as kafkajs's own introduction shows it: one send for each message, eachMessage. */
export const openPlainKafka = async (brokers: string[], clientId: string) => {
  const kafka = new Kafka({ clientId, brokers, logLevel: logLevel.NOTHING })
  const producer = kafka.producer()
  await producer.connect()

  const send = (topic: string, key: string, value: string) => producer.send({ topic, messages: [{ key, value }] })

  /** Answers each message of `from` with one on `to`, until `count` are done. */
  const forward = async (from: string, to: string, groupId: string, count: number) => {
    const consumer = kafka.consumer({ groupId })
    const all = Promise.withResolvers<number>()
    let done = 0
    let started = 0
    await consumer.connect()
    await consumer.subscribe({ topic: from, fromBeginning: true })
    await consumer.run({
      eachMessage: async ({ message }) => {
        if (done === 0) started = performance.now()
        await send(to, message.key?.toString() ?? '', message.value?.toString() ?? '')
        if (++done === count) all.resolve(performance.now() - started)
      },
    })
    const tookMs = await all.promise
    await consumer.disconnect()
    return tookMs
  }

  return { send, forward, close: () => producer.disconnect() }
}
