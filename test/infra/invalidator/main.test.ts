import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'

import { announceRemoval } from '#shared/domain/announce.ts'
import { eventRecord } from '#shared/domain/events.ts'
import { makeKey } from '#shared/domain/keys.ts'
import { topics } from '#shared/domain/resources.ts'
import { sqliteEventLog } from '#shared/adapters/sqlite/event-log.ts'

import { cdnInvalidatorVariables } from '../../../infra/invalidator/main.ts'
import { invalidatorVariables } from '../../../infra/invalidator/config.ts'
import { http, openRawServer } from '../../shared/adapters/aws/raw-server.ts'
import { eventually } from '../../support/eventually.ts'
import { startProcess, temporaryDirectory } from '../../support/local-system.ts'

const program = 'infra/invalidator/main.ts'

const removal = (user: string, id: number) => {
  const made = makeKey({ purpose: 'chat', userId: user, id: id.toString(16).padStart(32, '0'), now: new Date(0) })
  assert.ok(made.ok)
  return announceRemoval(made.facts, { bucket: 'images', key: made.facts.key, eventTime: new Date(0) }, 'deleted')
}

const open = async (context: TestContext, status = 201) => {
  const directory = temporaryDirectory()
  context.after(() => directory.remove())
  const path = join(directory.path, 'events.sqlite')
  const log = sqliteEventLog({ path })
  await log.ensureTopics(topics)
  const cdn = await openRawServer(context, (_, socket) => socket.write(http(status, { 'content-length': 2 }, '<>')))
  const environment = {
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'test-key',
    AWS_SECRET_ACCESS_KEY: 'test-secret',
    AWS_ENDPOINT_URL_CLOUDFRONT: cdn.origin,
    CDN_DISTRIBUTION_ID: 'E1EXAMPLE',
    // A path every 0.3 s, so that no test waits for the budget.
    INVALIDATIONS_PER_MONTH: '10000000',
    EVENT_LOG: `sqlite:${path}`,
    HEALTH_PORT: '0',
  }
  const start = async () => {
    const process = startProcess(program, [], environment)
    await eventually(() => process.output().includes('is ready'), 'the consumer to be ready', 30_000)
    return process
  }
  const append = (...events: ReturnType<typeof removal>[]) => log.append(events.map(eventRecord))
  return { ...cdn, start, append, close: () => log.close() }
}

const pathsOf = (request: string) => [...request.matchAll(/<Path>([^<]*)</g)].map(([, path = '']) => path)

const covers = (path: string, wanted: string) =>
  path === wanted || (path.endsWith('/*') && wanted.startsWith(path.slice(0, -1)))

test('what was removed is taken out of the caches once, also over a restart', async (context) => {
  const { start, append, requests, close } = await open(context)
  const events = [removal('u', 1), removal('u', 2), removal('v', 3), removal('w', 4)] as const
  const isCovered = ({ subject }: (typeof events)[number]) =>
    requests.flatMap(pathsOf).some((path) => covers(path, `/${subject}`))

  const first = await start()
  await append(events[0])
  await eventually(() => isCovered(events[0]), 'an invalidation', 30_000)
  await append(events[1], events[2])
  await eventually(() => isCovered(events[1]) && isCovered(events[2]), 'the next invalidation', 30_000)
  first.child.kill('SIGTERM')
  assert.equal(await first.ended, 0)
  const second = await start()
  await append(events[3])
  await eventually(() => isCovered(events[3]), 'the last invalidation', 30_000)
  second.child.kill('SIGTERM')
  assert.equal(await second.ended, 0)
  await close()
  for (const { subject } of [events[0], events[3]]) {
    assert.equal(requests.flatMap(pathsOf).filter((path) => path === `/${subject}`).length, 1, subject)
  }
})

test('a distribution that is not there ends the consumer with a sentence', async (context) => {
  const { start, append, close } = await open(context, 404)
  const { ended, output } = await start()
  await append(removal('u', 1))
  assert.equal(await ended, 1)
  assert.match(output(), /CloudFront refuses an invalidation of E1EXAMPLE: HTTP 404/)
  await close()
})

test('without an environment the consumer names what it needs, and exits 1', async () => {
  const { ended, output } = startProcess(program, [], {})
  assert.equal(await ended, 1)
  assert.match(output(), /CDN_DISTRIBUTION_ID is not set/)
})

test('docs/deploy-aws.md tells of each variable that only the consumer reads', () => {
  const page = readFileSync('docs/deploy-aws.md', 'utf8')
  for (const name of Object.keys(invalidatorVariables)) assert.ok(page.includes(`\`${name}\``), name)
  assert.ok('CDN_DISTRIBUTION_ID' in cdnInvalidatorVariables)
})

test('the image of the services holds the consumer too', () => {
  const folders = readFileSync('.dockerignore', 'utf8')
    .split('\n')
    .flatMap((line) => /^!(.+)/.exec(line)?.[1] ?? [])
  assert.ok(
    folders.some((folder) => program.startsWith(`${folder}/`)),
    folders.join(' '),
  )
})
