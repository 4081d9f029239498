import { topics } from '#shared/domain/resources.ts'
import type { EventLog } from '#shared/ports/event-log.ts'
import { SetupError } from '#shared/ports/failures.ts'

import { openChosenEventLog } from './support/event-log.ts'
import { runTool, UsageError } from './support/run-tool.ts'

const usage = `npm run topics [-- --check | --dry-run]
Creates the topics of the resources table and changes those that differ; what is right already is left alone, and a
partition is never taken away. --check changes nothing and exits 1 when something is missing, naming all of it; --dry-run
tells the same and exits 0. The log is the local system's, or what EVENT_LOG and KAFKA_BROKERS name.`

const options = { check: { type: 'boolean' }, 'dry-run': { type: 'boolean' } } as const

/** What is missing or differs, as the check tells it. */
const findProblems = async (log: EventLog): Promise<string[]> => {
  try {
    await log.checkTopics(topics)
    return []
  } catch (error) {
    if (error instanceof SetupError) return [error.message]
    throw error
  }
}

await runTool({ usage, options }, async ({ values, positionals }) => {
  if (positionals.length > 0) throw new UsageError(`${positionals.join(' ')} is not understood`)
  const { check, 'dry-run': dryRun } = values
  const log = openChosenEventLog()
  try {
    const told = check || dryRun ? await findProblems(log) : await log.ensureTopics(topics)
    console.log(told.length > 0 ? told.join('\n') : 'nothing to do: all topics are as they should be')
    if (check && told.length > 0) process.exitCode = 1
  } finally {
    await log.close()
  }
})
