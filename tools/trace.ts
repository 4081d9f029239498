import { openS3 } from '#shared/adapters/aws/clients.ts'
import { s3ObjectStore } from '#shared/adapters/s3/object-store.ts'
import { readConfig } from '#shared/runtime/config.ts'

import { openChosenEventLog } from './support/event-log.ts'
import { findKey } from './support/find-key.ts'
import { gatherStory } from './support/gather-story.ts'
import { environmentOf, findLocalSystem } from './support/local-system.ts'
import { runTool, UsageError } from './support/run-tool.ts'
import { tellStory } from './support/story.ts'
import { traceVariables } from './support/variables.ts'

const usage = `npm run trace -- KEY
Tells the whole story of one image, from ticket to job: store, verdict, events, dead letters, ledger, and what follows.
KEY may also stand in a URL. The buckets are those that S3_BUCKET and STATE_BUCKET name, the log is what EVENT_LOG or
KAFKA_BROKERS names; without them those of the running local system. Exits 1 when nothing is known of the image, or when
one of them does not answer: then the others tell what they know.`

const isNamed = ['S3_BUCKET', 'STATE_BUCKET'].some((name) => process.env[name])
const aboutWidth = 13

await runTool({ usage, options: {} }, async ({ positionals }) => {
  const [text] = positionals
  if (text === undefined || positionals.length > 1) throw new UsageError('name one key')
  const facts = findKey(text)
  const config = readConfig(traceVariables, isNamed ? process.env : environmentOf(findLocalSystem()))
  const s3 = openS3(config)
  const events = openChosenEventLog()
  const images = s3ObjectStore({ client: s3, bucket: config.S3_BUCKET })
  const states = s3ObjectStore({ client: s3, bucket: config.STATE_BUCKET })

  const interrupted = new AbortController()
  process.once('SIGINT', () => interrupted.abort())
  try {
    const found = await gatherStory({ bucket: config.S3_BUCKET, images, states, events }, facts, interrupted.signal)
    console.log(facts.key)
    for (const { about, text } of tellStory(found, new Date())) console.log(`  ${about.padEnd(aboutWidth)}${text}`)
    const isKnown = found.object ?? found.verdict ?? found.events[0]
    if (!isKnown || Object.keys(found.silent).length > 0) process.exitCode = 1
  } finally {
    await events.close()
    s3.destroy()
  }
})
