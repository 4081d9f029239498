import { setTimeout as sleep } from 'node:timers/promises'

import { arrivalInLog, arrivalInMetadata } from './support/arrival.ts'
import { doctorClient, doctorPurposes, sendToStore, type DoctorPurpose } from './support/doctor-client.ts'
import { openChosenEventLog } from './support/event-log.ts'
import { CannotJudgeError, examineLocks, type Examined } from './support/examine-locks.ts'
import { findLocalSystem } from './support/local-system.ts'
import { locks } from './support/locks.ts'
import { runTool, UsageError } from './support/run-tool.ts'
import { signToken } from './support/sign-token.ts'

const usage = `npm run doctor -- [--api URL --token TOKEN] [--skip-expiry] [--purpose ${doctorPurposes.join('|')}]
Attacks the bucket behind an API with tickets of that API, and tells which locks hold. Takes chat tickets, or profile
tickets where DISPATCH_PURPOSES makes jobs of chat images; stores a few images of 70 bytes and deletes them. Waits for a
ticket to expire (300 s as the API comes), unless --skip-expiry is given.
That notifications arrive is seen in the event log that EVENT_LOG or KAFKA_BROKERS names, else in the API's metadata.
Without --api and --token: the local system that runs in DATA_DIR. Exits 0 only if every lock that was tried holds.`

const options = {
  api: { type: 'string' },
  token: { type: 'string' },
  'skip-expiry': { type: 'boolean' },
  purpose: { type: 'string', default: 'chat' },
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

/** What does not hold, and what nobody knows. */
const summarise = (broken: readonly string[], unclear: readonly string[], tried: number) => {
  if (broken.length + unclear.length === 0) return `all ${tried} locks hold`
  const said = [
    ...(broken.length > 0 ? [`not held: ${broken.join(', ')}`] : []),
    ...(unclear.length > 0 ? [`unclear: ${unclear.join(', ')}`] : []),
  ]
  return said.join('; ')
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

const readApi = (api: string) => {
  if (/^https?:\/\//i.test(api) && URL.canParse(api)) return api
  throw new UsageError(`--api ${JSON.stringify(api)} is no address that begins with http:// or https://`)
}

/** A wrong one is not repeated: it may be nearly right. */
const readToken = (token: string) => {
  if (token === '') throw new UsageError('--token is empty')
  if (!/^[\x21-\x7e]+$/.test(token)) throw new UsageError('--token holds a character that no token has')
  return token
}

const readPurpose = (text: unknown): DoctorPurpose => {
  const purpose = doctorPurposes.find((name) => name === text)
  if (purpose) return purpose
  throw new UsageError(`--purpose ${String(text)} is none of ${doctorPurposes.join(', ')}: no paid job may start`)
}

const findTarget = async ({ api, token }: { api: unknown; token: unknown }) => {
  if (typeof api === 'string' && typeof token === 'string') {
    return { apiUrl: readApi(api), token: readToken(token.trim()), local: false }
  }
  if (api !== undefined || token !== undefined) throw new UsageError('--api and --token go together')
  return { apiUrl: findLocalSystem().api_url, token: await signToken('doctor'), local: true }
}

await runTool({ usage, options }, async ({ values, positionals }) => {
  if (positionals.length > 0) throw new UsageError(`${positionals.join(' ')} is not understood`)
  const purpose = readPurpose(values['purpose'])
  const { apiUrl, token, local } = await findTarget({ api: values['api'], token: values['token'] })
  const skipped = values['skip-expiry'] === true
  const tried = locks.filter(({ ground }) => !(skipped && ground === 'expired'))
  const client = doctorClient(apiUrl, token, purpose)
  const logNamed = local || process.env['EVENT_LOG'] || process.env['KAFKA_BROKERS']
  const arrival = logNamed ? await arrivalInLog(openChosenEventLog()) : arrivalInMetadata(client)
  const broken: string[] = []
  const unclear: string[] = []

  const onStored = async (key: string) => {
    row('honest PUT', words.holds, 'is stored')
    try {
      row('notification', words.holds, await arrival.seen(key))
    } catch (error) {
      broken.push('notification')
      row('notification', words.broken, messageOf(error))
    }
  }
  const onExamined = ({ lock: { name }, finding, detail }: Examined) => {
    if (finding !== 'holds') (finding === 'broken' ? broken : unclear).push(name)
    row(name, words[finding], detail)
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
  console.log(summarise(broken, unclear, tried.length))
  if (broken.length + unclear.length > 0) process.exitCode = 1
})
