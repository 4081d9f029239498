import { topics } from '#shared/domain/resources.ts'

import { openChosenEventLog } from './support/event-log.ts'
import { runTool, UsageError } from './support/run-tool.ts'

const usage = `npm run events -- [--topic TOPIC] [--from-start] [--follow]
Prints events as JSON lines: all that there are, or with --follow those that come from now on (with --from-start both).
The log is the local system's, or what EVENT_LOG and KAFKA_BROKERS name.`

const options = {
  topic: { type: 'string' },
  'from-start': { type: 'boolean' },
  follow: { type: 'boolean' },
} as const

const chosenTopics = (topic: string | boolean | undefined) => {
  const names = topics.map(({ name }) => name)
  if (typeof topic !== 'string') return names.filter((name) => !name.endsWith('.dead-letter'))
  if (names.includes(topic)) return [topic]
  throw new UsageError(`there is no topic ${topic}: topics are ${names.join(', ')}`)
}

await runTool({ usage, options }, async ({ values, positionals }) => {
  if (positionals.length > 0) throw new UsageError(`${positionals.join(' ')} is not understood`)
  const follow = values['follow'] === true
  const from = values['from-start'] === true || !follow ? 'start' : 'end'
  const log = openChosenEventLog()
  const interrupted = new AbortController()
  process.once('SIGINT', () => interrupted.abort())
  process.once('SIGTERM', () => interrupted.abort())
  for await (const record of await log.read({
    topics: chosenTopics(values['topic']),
    from,
    follow,
    signal: interrupted.signal,
  })) {
    process.stdout.write(`${record.value}\n`)
  }
  await log.close()
})
