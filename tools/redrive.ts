import { openChosenEventLog } from './support/event-log.ts'
import { queueLetters } from './support/redrive-queue.ts'
import { openRedriveQueues } from './support/redrive-queues.ts'
import { topicLetters } from './support/redrive-topic.ts'
import {
  describeRedrive,
  readOrder,
  redriveLetters,
  redriveOptions,
  redrivePaths,
  type RedriveOrder,
  type RedriveTally,
} from './support/redrive.ts'
import { runTool } from './support/run-tool.ts'

const usage = `npm run redrive -- ${Object.keys(redrivePaths).join('|')} [--dry-run] [--limit N] [--force]
Puts back what was given up: dead letters of a topic into the topic, messages of a dead-letter queue or of the quarantine
into their queue. Tells how many, by reason. What was put back 3 times already is held back, unless --force is given.
--dry-run tells the same and changes nothing. The topic or queue is the local system's, or what the environment names
(EVENT_LOG, KAFKA_BROKERS; UPLOADS_QUEUE_URL, QUARANTINE_QUEUE_URL, JOBS_QUEUE_URL and AWS_REGION).`

const redriveTopic = async (order: RedriveOrder, signal: AbortSignal): Promise<RedriveTally> => {
  const log = openChosenEventLog()
  try {
    return await redriveLetters(topicLetters(log, order.path, signal), order)
  } finally {
    await log.close()
  }
}

const redriveQueue = async (order: RedriveOrder, signal: AbortSignal): Promise<RedriveTally> => {
  const queues = openRedriveQueues(order.path)
  try {
    return await redriveLetters(queueLetters(queues, signal), order)
  } finally {
    queues.close()
  }
}

await runTool({ usage, options: redriveOptions }, async (given) => {
  const order = readOrder(given)
  const interrupted = new AbortController()
  process.once('SIGINT', () => interrupted.abort())
  process.once('SIGTERM', () => interrupted.abort())
  const redrive = order.path.kind === 'topic' ? redriveTopic : redriveQueue
  const tally = await redrive(order, interrupted.signal)
  console.log(describeRedrive(order, tally).join('\n'))
  if (interrupted.signal.aborted) throw new Error('interrupted: what is left waits as it was')
})
