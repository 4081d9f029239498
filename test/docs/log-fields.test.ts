import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { after, before, test } from 'node:test'

import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'

import { eventLogVariables, openEventLog } from '#shared/adapters/event-log.ts'
import { readConfig } from '#shared/runtime/config.ts'

import { putFile, tokenOf, type TestSystem, type Ticket } from '../support/client.ts'
import { appendScans } from '../support/dispatch-run.ts'
import { eventually } from '../support/eventually.ts'
import { goodPhoto, pdfBytes } from '../support/images.ts'
import { temporaryDirectory } from '../support/local-system.ts'
import { countMessages, readEvents } from '../support/outside.ts'
import { openSurroundings, startService, type ServiceName } from '../support/services.ts'

type Line = Readonly<Record<string, unknown>>

const names: readonly ServiceName[] = ['api', 'upload-watcher', 'scan-dispatcher']
const trace = (number: number) => `${number}af7651916cd43dd8448eb211c80319c`
const strayKey = 'no/key/of/ours'

const directory = temporaryDirectory()
const lines = new Map<ServiceName, Line[]>()
const keys = new Map<string, string>()
let events: Awaited<ReturnType<typeof readEvents>>
let isAway = false
/** Polls that wait would not notice an outage before they end. */
const sockets = new Set<Socket>()
let surroundings: Awaited<ReturnType<typeof openSurroundings>>
let services: Awaited<ReturnType<typeof startService>>[] = []

const soon = <T>(fact: () => T | Promise<T>, what: string) => eventually(fact, what, 30_000)

/** Asks as user-1. */
const ask = async (system: TestSystem, method: string, path: string, traceparent: string, body?: object) =>
  fetch(`${system.api_url}${path}`, {
    method,
    headers: { Authorization: `Bearer ${await tokenOf('user-1', system.jwt_secret)}`, traceparent },
    ...(body && { body: JSON.stringify(body) }),
  })

const upload = async (system: TestSystem, number: number, purpose: string, body: Buffer) => {
  const traceparent = `00-${trace(number)}-b7ad6b7169203331-01`
  const asked = { content_type: 'image/jpeg', content_length: body.length }
  const answer = await ask(system, 'POST', `/images/presigned-url/${purpose}`, traceparent, asked)
  const ticket = (await answer.json()) as Ticket // the API's own tests check this shape
  await putFile(ticket, body)
  return { key: ticket.key, traceparent }
}

/** Every kind of line that a system writes that has a good photo, a liar, garbage, and an outage. */
before(async () => {
  surroundings = await openSurroundings(directory.path, undefined, (handle) => (request, response) => {
    sockets.add(request.socket)
    if (isAway) request.socket.destroy()
    else handle(request, response)
  })
  services = await Promise.all(names.map((name) => startService(name, surroundings.environment)))
  const system = surroundings.describe(services[0]?.url ?? '')
  const has = (key: string, type: string) => async () =>
    (await readEvents(system)).some((event) => event.subject === key && event.type === type)

  const scan = await upload(system, 1, 'scan', await goodPhoto('image/jpeg', { seed: 1 }))
  const profile = await upload(system, 2, 'profile', await goodPhoto('image/jpeg', { seed: 2 }))
  const liar = await upload(system, 3, 'scan', pdfBytes(3))
  for (const [name, { key }] of Object.entries({ scan, profile, liar })) keys.set(name, key)
  await soon(has(scan.key, 'scan.dispatched'), 'the job')
  await soon(has(profile.key, 'image.uploaded'), 'the profile image')
  await soon(has(liar.key, 'image.rejected'), 'the refusal')
  await ask(system, 'DELETE', `/images/${scan.key}`, scan.traceparent)
  await soon(has(scan.key, 'image.deleted'), 'the removal')
  events = await readEvents(system)
  await leaveGarbage(system, surroundings.environment)

  const outputs = () => services.map(({ output }) => output())
  /** The API has no gate. */
  const bothSay = (words: string) => {
    const say = () =>
      outputs()
        .slice(1)
        .every((output) => output.includes(words))
    return soon(say, `watcher and dispatcher to say that S3 ${words}`)
  }
  await soon(() => outputs()[1]?.includes('quarantined') && outputs()[2]?.includes('dead letter'), 'garbage')
  const isEmpty = async () => (await countMessages(system, system.uploads_queue_url)) === 0
  // What the outage kept from being acknowledged would be decided twice.
  await soon(isEmpty, 'the uploads queue to be empty')
  isAway = true
  for (const socket of sockets) socket.destroy()
  await appendScans(surroundings, 1, { ageMinutes: () => 10, duplicateShare: 0, random: () => 0.5 })
  assert.equal((await ask(system, 'GET', `/images/${liar.key}/metadata`, liar.traceparent)).status, 503)
  await bothSay('is away')
  isAway = false
  await bothSay('is back')
  await Promise.all(services.map(({ end }) => end('SIGTERM')))
  for (const [index, name] of names.entries()) lines.set(name, readLines(outputs()[index] ?? ''))
})
after(async () => {
  await Promise.all(services.map(({ end }) => end('SIGTERM')))
  await surroundings.close()
  directory.remove()
})

const leaveGarbage = async (system: TestSystem, environment: Record<string, string>) => {
  const credentials = { accessKeyId: system.access_key_id, secretAccessKey: system.secret_access_key }
  const sqs = new SQSClient({ region: system.region, endpoint: system.aws_url, credentials })
  await sqs.send(new SendMessageCommand({ QueueUrl: system.uploads_queue_url, MessageBody: 'garbage' }))
  sqs.destroy()
  const log = openEventLog(readConfig(eventLogVariables, environment))
  const value = JSON.stringify({ id: 'an-id', traceparent: `00-${trace(4)}-b7ad6b7169203331-01` })
  await log.append([{ topic: 'image.uploaded', key: strayKey, value }])
  await log.close()
}

const readLines = (output: string): Line[] =>
  output
    .trimEnd()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line) // a service writes objects

/** What a service decided about a key, a line each. */
const decisions = (name: ServiceName, key: string | undefined) =>
  (lines.get(name) ?? []).filter((line) => line['key'] === key && line['outcome'] !== undefined)

const idOf = (type: string, name: string) =>
  events.find((event) => event.type === type && event.subject === keys.get(name))?.id

test('each decision of each service is one line with key, outcome, event and trace', () => {
  const expected: [ServiceName, string, Line[]][] = [
    ['api', 'scan', [{ outcome: 'issued' }, { outcome: 'deleted' }]],
    ['api', 'liar', [{ outcome: 'issued' }]],
    ['upload-watcher', 'scan', [{ outcome: 'uploaded', event_id: idOf('image.uploaded', 'scan') }]],
    ['upload-watcher', 'profile', [{ outcome: 'uploaded', event_id: idOf('image.uploaded', 'profile') }]],
    [
      'upload-watcher',
      'liar',
      [{ outcome: 'rejected', reason: 'not_an_image', event_id: idOf('image.rejected', 'liar') }],
    ],
    ['scan-dispatcher', 'scan', [{ outcome: 'dispatched', event_id: idOf('image.uploaded', 'scan') }]],
    ['scan-dispatcher', 'profile', [{ outcome: 'passed', event_id: idOf('image.uploaded', 'profile') }]],
  ]
  const traces: Readonly<Record<string, string>> = { scan: trace(1), profile: trace(2), liar: trace(3) }
  for (const [service, name, wanted] of expected) {
    // S3's word of a removal has no trace.
    const found = decisions(service, keys.get(name)).filter(
      ({ outcome }) => service === 'api' || !['deleted', 'cancelled'].includes(String(outcome)),
    )
    assert.partialDeepStrictEqual(
      found,
      wanted.map((one) => ({ ...one, trace_id: traces[name] })),
    )
    assert.equal(found.length, wanted.length, `${service} of ${name}`)
  }
  const scan = keys.get('scan')
  const gone = [...decisions('upload-watcher', scan), ...decisions('scan-dispatcher', scan)].filter(({ outcome }) =>
    ['deleted', 'cancelled'].includes(String(outcome)),
  )
  assert.deepEqual(
    gone.map(({ outcome, event_id }) => [outcome, event_id]),
    ['deleted', 'cancelled'].map((outcome) => [outcome, idOf('image.deleted', 'scan')]),
  )
  assert.partialDeepStrictEqual(decisions('scan-dispatcher', strayKey), [
    { outcome: 'dead_lettered', level: 'warn', event_id: 'an-id', trace_id: trace(4) },
  ])
})

/** The table's fields, and in whose lines they are. */
const told = new Map(
  [...readFileSync('docs/operate.md', 'utf8').matchAll(/^\| (`\w+`(?:, `\w+`)*) +\| ([\w, -]+?) +\| .*\|$/gm)].flatMap(
    ([, fields = '', where = '']) =>
      [...fields.matchAll(/`(\w+)`/g)].map(([, field = '']): [string, string] => [field, where]),
  ),
)

test('docs/operate.md tells of every field that lines have, and of no other', () => {
  assert.ok(told.size > 20)
  for (const name of names) {
    const seen = new Set((lines.get(name) ?? []).flatMap(Object.keys))
    for (const field of seen) assert.ok(told.has(field), `${field}, in lines of ${name}, stands in no row`)
    for (const [field, where] of told)
      if (where === 'all' || where.split(', ').includes(name)) assert.ok(seen.has(field), `${name} has no ${field}`)
  }
})
