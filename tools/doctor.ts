import { setTimeout as sleep } from 'node:timers/promises'

import { messageOf } from '#shared/runtime/message-of.ts'

import { arrivalInLog, arrivalInMetadata } from './support/arrival.ts'
import { doctorClient, doctorPurposes, sendToStore, type DoctorPurpose } from './support/doctor-client.ts'
import { findDoctorTarget } from './support/doctor-target.ts'
import { CannotJudgeError, examineLocks, type Examined } from './support/examine-locks.ts'
import { locks } from './support/locks.ts'
import { runTool, UsageError } from './support/run-tool.ts'

const usage = `npm run doctor -- [--api URL --token TOKEN | --compose] [--skip-expiry] [--purpose ${doctorPurposes.join('|')}]
Attacks the bucket behind an API with tickets of that API, and tells which locks hold. Takes chat tickets, or profile
tickets where DISPATCH_PURPOSES makes jobs of chat images; stores a few images of 70 bytes and deletes them. Waits for a
ticket to expire (300 s as the API comes), unless --skip-expiry is given.
That notifications arrive is seen in the event log that EVENT_LOG or KAFKA_BROKERS names, else in the API's metadata.
Without --api and --token: the local system that runs in DATA_DIR, with --compose that of \`docker compose up\`
(INTAKE_API_PORT, INTAKE_KAFKA_PORT, INTAKE_JWT_SECRET). Exits 0 only if every lock that was tried holds.`

const options = {
  api: { type: 'string' },
  token: { type: 'string' },
  compose: { type: 'boolean' },
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

const readPurpose = (text: unknown): DoctorPurpose => {
  const purpose = doctorPurposes.find((name) => name === text)
  if (purpose) return purpose
  throw new UsageError(`--purpose ${String(text)} is none of ${doctorPurposes.join(', ')}: no paid job may start`)
}

await runTool({ usage, options }, async ({ values, positionals }) => {
  if (positionals.length > 0) throw new UsageError(`${positionals.join(' ')} is not understood`)
  const purpose = readPurpose(values['purpose'])
  const { apiUrl, token, openLog } = await findDoctorTarget(values)
  const skipped = values['skip-expiry'] === true
  const tried = locks.filter(({ ground }) => !(skipped && ground === 'expired'))
  const client = doctorClient(apiUrl, token, purpose)
  const arrival = openLog ? await arrivalInLog(openLog()) : arrivalInMetadata(client)
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
