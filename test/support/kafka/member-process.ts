import { kafkaEventLog } from '#shared/adapters/kafka/event-log.ts'
import { done } from '#shared/domain/outcomes.ts'

/** A process that consumes until it is killed, and prints each value that it is done with: BROKERS TOPIC GROUP. */
const [brokers = '', topic = '', group = ''] = process.argv.slice(2)

const never = new AbortController().signal
await kafkaEventLog({ KAFKA_BROKERS: [brokers] }).consume(
  {
    group,
    topics: [topic],
    concurrency: 4,
    handle: async ({ value }) => {
      // A write that still waits for room in the pipe would be lost with the process.
      await new Promise((resolve) => process.stdout.write(`${value}\n`, resolve))
      return done
    },
  },
  { stop: never, deadline: never },
)
