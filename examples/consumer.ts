import { DatabaseSync } from 'node:sqlite'

import { Kafka } from 'kafkajs'
import { z } from 'zod'

// Lists each user's images. The event's id is the row's key: what comes twice is stored once.
const store = new DatabaseSync(process.env['STORE'] ?? 'images.sqlite')
store.exec('CREATE TABLE IF NOT EXISTS images (event_id TEXT PRIMARY KEY, user_id TEXT NOT NULL, url TEXT NOT NULL)')
const save = store.prepare('INSERT OR IGNORE INTO images VALUES (?, ?, ?)')

// Only the fields that are used here: what is added to the others is no concern of ours.
const eventSchema = z.object({ id: z.string(), data: z.object({ user_id: z.string(), cdn_url: z.string() }) })
const parseEvent = (text: string) => {
  try {
    return eventSchema.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}

const handle = (text: string, where: string) => {
  const event = parseEvent(text)
  if (!event) {
    // What can't be read now can't be read later: waiting for it would hold up all that is behind it.
    process.stderr.write(`${where}: no event, passed over\n`)
    return
  }
  try {
    save.run(event.id, event.data.user_id, event.data.cdn_url)
  } catch (cause) {
    // kafkajs tries again after an Error, but stops for good after a TypeError, RangeError, SyntaxError or ReferenceError.
    throw new Error(`${where}: not stored, to be tried again`, { cause })
  }
}

const brokers = (process.env['KAFKA_BROKERS'] ?? 'localhost:9092').split(',')
const kafka = new Kafka({ clientId: 'image-list', brokers })
const consumer = kafka.consumer({ groupId: 'image-list', allowAutoTopicCreation: false })
consumer.on('consumer.crash', ({ payload }) => {
  if (!payload.restart) process.exit(1) // Else the process would live on and read nothing.
})
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void consumer.disconnect())
await consumer.connect()
await consumer.subscribe({ topics: ['image.uploaded'], fromBeginning: true })
await consumer.run({
  eachMessage: ({ partition, message: { offset, value } }) => {
    handle(String(value), `partition ${partition}, offset ${offset}`)
    return Promise.resolve()
  },
})
