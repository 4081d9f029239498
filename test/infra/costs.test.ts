import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { test, type TestContext } from 'node:test'

import { DeleteObjectCommand } from '@aws-sdk/client-s3'

import { costs } from '../../infra/cost.ts'
import { askTicket, openS3Of, putFile, type TestSystem } from '../support/client.ts'
import { eventually } from '../support/eventually.ts'
import { goodPhoto } from '../support/images.ts'
import { temporaryDirectory } from '../support/local-system.ts'
import { countMessages, readEvents } from '../support/outside.ts'
import { openRecorder, queueAction, type Holds, type RecordedCall } from '../support/recorded-calls.ts'
import { openSurroundings, startService, type ServiceName } from '../support/services.ts'
import { startWorkerOf } from '../support/worker.ts'

const patienceMs = 60_000

/** An installation whose callers begin when a test says so; each one's calls are kept. */
const open = async (context: TestContext) => {
  const directory = temporaryDirectory()
  const surroundings = await openSurroundings(directory.path)
  const target = surroundings.describe('').aws_url
  const ends: (() => unknown)[] = [surroundings.close, () => directory.remove()]
  context.after(async () => {
    for (const end of ends) await end()
  })
  const openDoor = async (holds: Holds = {}) => {
    const door = await openRecorder(target, holds)
    ends.unshift(door.close)
    return door
  }
  const start = async (name: ServiceName, holds?: Holds) => {
    const { url, calls } = await openDoor(holds)
    const environment = { ...surroundings.environment, AWS_ENDPOINT_URL_S3: url, AWS_ENDPOINT_URL_SQS: url }
    // No heartbeat falls into a message's few milliseconds, however slow the machine.
    const service = await startService(name, { ...environment, UPLOADS_VISIBILITY_SECONDS: '600' })
    ends.unshift(() => service.end('SIGTERM'))
    return { url: service.url ?? '', calls, end: () => service.end('SIGTERM') }
  }
  /** The bucket's test event is no image's. */
  const dropTestEvents = async () => {
    const system = surroundings.describe('')
    const { end } = await start('upload-watcher')
    await eventually(
      async () => (await countMessages(system, system.uploads_queue_url)) === 0,
      'the test event to be taken',
      patienceMs,
    )
    await end()
  }
  await dropTestEvents()
  const startWorker = async () => {
    const { url, calls } = await openDoor()
    const system = { ...surroundings.describe(''), aws_url: url }
    const { child, output, ended } = startWorkerOf(system, directory.path)
    ends.unshift(() => child.kill('SIGTERM') && ended)
    return { calls, done: () => output().split(' analyzed ').length - 1 }
  }
  return { start, startWorker, describe: surroundings.describe }
}

const upload = async (system: TestSystem, count: number) => {
  const body = await goodPhoto('image/png', { seed: 1 })
  const file = {
    purpose: 'scan',
    userId: 'u',
    contentType: 'image/png',
    expected: 'accepted',
    pastTheApi: false,
  } as const
  const keys: string[] = []
  for (let made = 0; made < count; made++) {
    const ticket = await askTicket(system, { ...file, body })
    await putFile(ticket, body)
    keys.push(ticket.key)
  }
  return keys
}
/** As the lifecycle does, but that it is called a removal by somebody. */
const removeAll = async (system: TestSystem, keys: readonly string[]) => {
  const s3 = openS3Of(system)
  for (const Key of keys) await s3.send(new DeleteObjectCommand({ Bucket: system.bucket, Key }))
  s3.destroy()
}
const countEvents = (system: TestSystem, type: string, count: number) =>
  eventually(
    async () => (await readEvents(system)).filter((event) => event.type === type).length >= count,
    `${count} of ${type}`,
    patienceMs,
  )

/** Polls that brought nothing are no image's. */
const isEmptyPoll = (call: RecordedCall) => queueAction(call) === 'ReceiveMessage' && !call.answer.includes('"Body"')
const ofQueue =
  (...actions: readonly string[]) =>
  (call: RecordedCall) =>
    actions.includes(queueAction(call) ?? '') && !isEmptyPoll(call)
const ofBucket = (method: string, path: RegExp) => (call: RecordedCall) =>
  call.method === method && queueAction(call) === undefined && path.test(call.url.pathname)

/** Answers in step: none before a hundred are due, as many as the watcher takes in hand. */
const inWaves = (size: number) => {
  let arrived = 0
  let wave = Promise.withResolvers<undefined>()
  return () => {
    const mine = wave
    if (++arrived % size === 0) {
      wave.resolve(undefined)
      wave = Promise.withResolvers()
    }
    return mine.promise
  }
}

const counts = {
  put: ofBucket('PUT', /\/scans\//),
  take: ofQueue('ReceiveMessage'),
  confirm: ofQueue('DeleteMessage'),
  look: ofBucket('GET', /./),
  verdict: ofBucket('PUT', /./),
  enter: ofBucket('PUT', /./),
  send: ofQueue('SendMessage'),
  work: ofQueue('ReceiveMessage', 'DeleteMessage'),
  claim: ofBucket('PUT', /./),
  read: ofBucket('GET', /./),
  takeEnd: ofQueue('ReceiveMessage', 'DeleteMessage', 'ChangeMessageVisibility'),
}

const perImage = (name: keyof typeof counts, calls: readonly RecordedCall[], images: number) =>
  calls.filter(counts[name]).length / images

test('an image that comes alone makes the calls that its cost is reckoned from', async (context) => {
  const { start, startWorker, describe } = await open(context)
  const api = await start('api')
  const watcher = await start('upload-watcher')
  const dispatcher = await start('scan-dispatcher')
  const worker = await startWorker()
  const system = describe(api.url)
  const keys: string[] = []
  for (let images = 1; images <= 3; images++) {
    keys.push(...(await upload(system, 1)))
    await eventually(() => worker.done() === images, 'the worker to be done', patienceMs)
  }
  const of = (name: keyof typeof counts, calls: readonly RecordedCall[]) =>
    eventually(() => perImage(name, calls, keys.length) === costs[name].alone, `${costs[name].alone} of ${name}`)
  await of('put', api.calls)
  await of('take', watcher.calls)
  await of('confirm', watcher.calls)
  await of('look', watcher.calls)
  await of('verdict', watcher.calls)
  await of('enter', dispatcher.calls)
  await of('send', dispatcher.calls)
  await of('work', worker.calls)
  await of('claim', worker.calls)
  await of('read', worker.calls)
  const before = watcher.calls.length
  for (const [at, key] of keys.entries()) {
    await removeAll(system, [key])
    await countEvents(system, 'image.deleted', at + 1)
    // The next one would share the request that confirms this one.
    const confirmed = () => watcher.calls.slice(before).filter(ofQueue('DeleteMessage')).length > at
    await eventually(confirmed, 'the removal to be confirmed', patienceMs)
  }
  assert.equal(perImage('takeEnd', watcher.calls.slice(before), keys.length), costs.takeEnd.alone)
})

test('in a flood ten images share each request of SQS, as the cost is reckoned', async (context) => {
  const images = 100
  const { start, describe } = await open(context)
  const api = await start('api')
  const system = describe(api.url)
  const wave = inWaves(100)
  await upload(system, images)
  const answer = ({ method }: IncomingMessage) => (method === 'PUT' ? wave() : undefined)
  const watcher = await start('upload-watcher', { answer })
  const isConfirmed = async () => (await countMessages(system, system.uploads_queue_url)) === 0
  await eventually(isConfirmed, 'all notifications to be confirmed', patienceMs)
  const dispatcher = await start('scan-dispatcher')
  await countEvents(system, 'scan.dispatched', images)

  const most = (name: keyof typeof counts, calls: readonly RecordedCall[]) => {
    const found = perImage(name, calls, images)
    context.diagnostic(`${name}: ${found}`)
    // A batch at the beginning or the end of a wave may be a small one.
    assert.ok(found > 0 && found <= costs[name].flood + 0.05, `${name}: ${found} an image`)
  }
  most('put', api.calls)
  most('take', watcher.calls)
  most('confirm', watcher.calls)
  most('look', watcher.calls)
  most('verdict', watcher.calls)
  most('send', dispatcher.calls)
})
