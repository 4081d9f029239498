import assert from 'node:assert/strict'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { after, afterEach, before, test } from 'node:test'

import { uploadFile, type TestSystem } from '../support/client.ts'
import { eventually } from '../support/eventually.ts'
import { planFile } from '../support/file-mix.ts'
import { temporaryDirectory } from '../support/local-system.ts'
import { countMessages, readEvents } from '../support/outside.ts'
import { seededRandom } from '../support/random.ts'
import { openSurroundings, startService } from '../support/services.ts'

/** What S3 and SQS are like now: says whether it has answered a request itself. */
type Weather = (request: IncomingMessage, response: ServerResponse) => boolean
const fair: Weather = () => false
let weather = fair
const asked: string[] = []

const front =
  (handle: RequestListener): RequestListener =>
  (request, response) => {
    asked.push(`${request.method} ${request.url}`)
    if (!weather(request, response)) handle(request, response)
  }

const directory = temporaryDirectory()
let surroundings: Awaited<ReturnType<typeof openSurroundings>>
let system: TestSystem
let watcher: Awaited<ReturnType<typeof startService>>
before(async () => {
  surroundings = await openSurroundings(directory.path, undefined, front)
  system = surroundings.describe('')
  watcher = await startService('upload-watcher', surroundings.environment)
})
afterEach(() => {
  weather = fair
})
after(async () => {
  assert.equal(await watcher.end('SIGTERM'), 0)
  await surroundings.close()
  directory.remove()
})

const random = seededRandom(1)
const upload = async (userId = 'user') =>
  uploadFile(system, { ...(await planFile(random, 1)), userId, pastTheApi: true })
const readiness = async () => {
  const answer = await fetch(`${watcher.health}/readyz`)
  return { status: answer.status, text: await answer.text() }
}
const pauses = async () => {
  const metrics = await (await fetch(`${watcher.health}/metrics`)).text()
  return Number(/^image_intake_watcher_pauses_total (\d+)$/m.exec(metrics)?.[1])
}
const isPublished = async (...keys: string[]) => {
  const published = new Set((await readEvents(system)).map(({ subject }) => subject))
  return keys.every((key) => published.has(key))
}

const refuse = (response: ServerResponse, method: string | undefined, status: number, code: string) => {
  response.writeHead(status, { 'content-type': 'application/xml' })
  response.end(method === 'HEAD' ? undefined : `<Error><Code>${code}</Code><Message>so it is</Message></Error>`)
  return true
}
const isS3 = ({ url = '' }: IncomingMessage) => url.startsWith('/alone-images')
const isObject = (request: IncomingMessage) => isS3(request) && /^\/[^/]+\/[^?]/.test(request.url ?? '')
/** The one who uploads is not under the weather. */
const isWatcher = ({ headers }: IncomingMessage) => headers['user-agent'] === 'image-intake'

const weathers: Record<string, { weather: Weather; service: string }> = {
  'throttles reads of objects, and answers for its buckets': {
    weather: (request, response) =>
      isWatcher(request) &&
      request.method === 'GET' &&
      isObject(request) &&
      refuse(response, request.method, 503, 'SlowDown'),
    service: 'S3',
  },
  'throttles the writing of verdicts, and answers for its buckets': {
    weather: (request, response) =>
      isWatcher(request) &&
      request.method === 'PUT' &&
      isObject(request) &&
      refuse(response, request.method, 503, 'SlowDown'),
    service: 'S3',
  },
  'finds that the credentials have expired': {
    weather: (request, response) =>
      isWatcher(request) && isS3(request) && refuse(response, request.method, 400, 'ExpiredToken'),
    service: 'S3',
  },
  'hangs up': {
    weather: (request, response) => {
      if (!isWatcher(request) || !isS3(request)) return false
      response.destroy()
      return true
    },
    service: 'S3',
  },
}

for (const [what, { weather: bad, service }] of Object.entries(weathers)) {
  test(`while S3 ${what}, the watcher pauses once, is not ready, asks seldom, and goes on by itself after`, async () => {
    const pausesBefore = await pauses()
    await eventually(async () => (await readiness()).status === 200, 'readiness before')
    weather = bad
    const keys = await Promise.all(Array.from({ length: 12 }, () => upload()))
    await eventually(async () => (await readiness()).status === 503, 'the outage to be seen')
    assert.match((await readiness()).text, new RegExp(`"${service}":"is waited for"`))
    const [startedAt, before] = [performance.now(), asked.length]
    // Its longest pauses are 2 s, and the first receipts are over then.
    await eventually(() => performance.now() - startedAt > 3_000, 'some probes')
    const seconds = (performance.now() - startedAt) / 1_000
    const calls = asked.length - before
    assert.ok(calls < 100 + 60 * seconds, `${calls} calls in ${seconds} s`)
    assert.deepEqual([(await readiness()).status, await pauses()], [503, pausesBefore + 1])
    weather = fair
    await eventually(async () => (await readiness()).status === 200, 'the return to be seen')
    await eventually(() => isPublished(...keys), 'what was uploaded meanwhile', 20_000)
    await eventually(async () => (await countMessages(system, system.uploads_queue_url)) === 0, 'the empty queue')
    assert.deepEqual([await countMessages(system, system.quarantine_queue_url), await pauses()], [0, pausesBefore + 1])
  })
}

test('an answer that makes no sense about one object puts that one aside, and holds up nobody', async () => {
  const before = await pauses()
  assert.ok(before >= Object.keys(weathers).length)
  weather = (request, response) => {
    if (isWatcher(request) && request.method === 'GET' && request.url?.includes('/odd/')) {
      const bytes = 'bytes that nobody reads'
      response.writeHead(200, { 'last-modified': 'soon', etag: '"x"', 'content-length': bytes.length }).end(bytes)
      return true
    }
    return false
  }
  const oddKey = await upload('odd')
  const key = await upload()
  await eventually(
    async () => (await countMessages(system, system.quarantine_queue_url)) === 1,
    'the quarantine',
    20_000,
  )
  await eventually(() => isPublished(key), 'the event on the other')
  assert.equal(await isPublished(oddKey), false)
  assert.deepEqual([await pauses(), (await readiness()).status], [before, 200])
})
