import { setTimeout as sleep } from 'node:timers/promises'

import type { EventLog } from '#shared/ports/event-log.ts'

import { arrivalInLog, arrivalInMetadata } from './support/arrival.ts'
import { findComposeSystem } from './support/compose-system.ts'
import { doctorClient, sendToStore } from './support/doctor-client.ts'
import { openChosenEventLog } from './support/event-log.ts'
import { CannotJudgeError, describeAnswer, examineLocks, type Examined } from './support/examine-locks.ts'
import { findLocalSystem } from './support/local-system.ts'
import { locks } from './support/locks.ts'
import { runTool, UsageError } from './support/run-tool.ts'
import { signToken } from './support/sign-token.ts'

const usage = `npm run doctor -- [--api URL --token TOKEN | --compose] [--skip-expiry]
Attacks the bucket behind an API with tickets of that API, and tells which locks hold. Takes chat tickets, stores a few
images of 70 bytes and deletes them. Waits for a ticket to expire (300 s as the API comes), unless --skip-expiry is given.
That notifications arrive is seen in the event log that EVENT_LOG or KAFKA_BROKERS names, else in the API's metadata.
Without --api and --token: the local system that runs in DATA_DIR, with --compose that of \`docker compose up\`
(INTAKE_API_PORT, INTAKE_KAFKA_PORT, INTAKE_JWT_SECRET). Exits 0 only if every lock that was tried holds.`

const options = {
  api: { type: 'string' },
  token: { type: 'string' },
  compose: { type: 'boolean' },
  'skip-expiry': { type: 'boolean' },
} as const

/** One pixel, a whole image to every decoder. */
const image = Uint8Array.from(
  Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
    'base64',
  ),
)
const nameWidth = Math.max(...locks.map(({ name }) => name.length)) + 2
const row = (name: string, finding: string, detail: string) =>
  console.log(`${name.padEnd(nameWidth)}${finding.padEnd(12)}${detail}`)

const words = { holds: 'holds', broken: 'BROKEN', unclear: 'UNCLEAR' } as const

const tell = ({ lock, finding, answer }: Examined) => {
  const answered = describeAnswer(answer)
  const details = {
    holds: answered,
    broken: `${answered}: ${lock.breach}`,
    unclear: `${answered}: refused, but not for what was wrong`,
  }
  row(lock.name, words[finding], details[finding])
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

type Target = {
  apiUrl: string
  token: string
  /** Absent where no log is named. */
  openLog?: () => EventLog
}

const findTarget = async (values: Record<string, string | boolean | undefined>): Promise<Target> => {
  const { api, token, compose } = values
  if ((api === undefined) !== (token === undefined)) throw new UsageError('--api and --token go together')
  if (typeof api === 'string' && typeof token === 'string') {
    if (compose === true) throw new UsageError('--compose names an API already')
    if (!URL.canParse(api)) throw new UsageError(`--api ${api} is not a URL`)
    const isLogNamed = process.env['EVENT_LOG'] || process.env['KAFKA_BROKERS']
    return { apiUrl: api, token, ...(isLogNamed && { openLog: openChosenEventLog }) }
  }
  if (compose === true) {
    const { apiUrl, jwtSecret, openLog } = findComposeSystem()
    return { apiUrl, token: await signToken('doctor', jwtSecret), openLog }
  }
  return { apiUrl: findLocalSystem().api_url, token: await signToken('doctor'), openLog: openChosenEventLog }
}

await runTool({ usage, options }, async ({ values, positionals }) => {
  if (positionals.length > 0) throw new UsageError(`${positionals.join(' ')} is not understood`)
  const { apiUrl, token, openLog } = await findTarget(values)
  const skipped = values['skip-expiry'] === true
  const tried = locks.filter(({ ground }) => !(skipped && ground === 'expired'))
  const client = doctorClient(apiUrl, token)
  const arrival = openLog ? await arrivalInLog(openLog()) : arrivalInMetadata(client)
  const failed: string[] = []

  const onStored = async (key: string) => {
    row('honest PUT', words.holds, 'is stored')
    try {
      row('notification', words.holds, await arrival.seen(key))
    } catch (error) {
      failed.push('notification')
      row('notification', words.broken, messageOf(error))
    }
  }
  const onExamined = (examined: Examined) => {
    if (examined.finding !== 'holds') failed.push(examined.lock.name)
    tell(examined)
  }
  const remove = async (key: string) => {
    const problem = await client.remove(key).catch(messageOf)
    if (problem !== undefined) console.error(problem)
  }
  const wait = async (ms: number) => {
    console.error(`waiting ${Math.ceil(ms / 1000)} s for a ticket to expire`)
    await sleep(Math.max(0, ms))
  }
  const place = { askTicket: client.askTicket, send: sendToStore, remove, sleep: wait, nowMs: Date.now }
  try {
    await examineLocks(place, { locks: tried, image }, { onStored, onExamined })
  } catch (error) {
    if (error instanceof CannotJudgeError) throw new Error(`cannot judge: ${error.message}`, { cause: error })
    throw error
  } finally {
    await arrival.stop()
  }
  if (skipped) row('expired ticket', 'not tried', '--skip-expiry')
  console.log(failed.length === 0 ? `all ${tried.length} locks hold` : `not held: ${failed.join(', ')}`)
  if (failed.length > 0) process.exitCode = 1
})
