import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'

import { uploadFile, type TestSystem } from '../support/client.ts'
import { eventually } from '../support/eventually.ts'
import { goodPhoto } from '../support/images.ts'
import { startProcess, temporaryDirectory } from '../support/local-system.ts'
import { readEvents, receiveJobs } from '../support/outside.ts'
import { openSurroundings, startService, type ServiceName } from '../support/services.ts'

const metricsPage = readFileSync('docs/metrics.md', 'utf8')
const directory = temporaryDirectory()
let surroundings: Awaited<ReturnType<typeof openSurroundings>>
before(async () => {
  surroundings = await openSurroundings(directory.path)
})
after(async () => {
  await surroundings.close()
  directory.remove()
})

const uploadScan = async (system: TestSystem, seed: number) => {
  const body = await goodPhoto('image/png', { seed })
  const file = { purpose: 'scan', userId: 'u', contentType: 'image/png', body } as const
  return uploadFile(system, { ...file, expected: 'accepted', pastTheApi: false })
}

const hasEvent = async (system: TestSystem, key: string, type: string) =>
  (await readEvents(system)).some((event) => event.subject === key && event.type === type)

test('three services, each in a process of its own, take a scan to its job', async () => {
  const { environment } = surroundings
  const api = await startService('api', environment)
  const watcher = await startService('upload-watcher', environment)
  const dispatcher = await startService('scan-dispatcher', environment)
  const system = surroundings.describe(api.url ?? '')
  const key = await uploadScan(system, 1)
  await eventually(() => hasEvent(system, key, 'scan.dispatched'), 'the scan to be dispatched')
  assert.deepEqual(
    (await receiveJobs(system)).map((job) => job.key),
    [key],
  )

  for (const { health } of [api, watcher, dispatcher]) {
    assert.equal((await fetch(`${health}/healthz`)).status, 200)
    assert.equal((await fetch(`${health}/readyz`)).status, 200)
    const scrape = await (await fetch(`${health}/metrics`)).text()
    const exported = [...scrape.matchAll(/^# TYPE ((?:image_intake|event_log)_\w+)/gm)].map(([, name]) => name)
    assert.ok(exported.length > 3)
    for (const name of exported) assert.ok(metricsPage.includes(`\`${name}\``), `${name} stands on no page`)
  }
  assert.deepEqual(await Promise.all([api, watcher, dispatcher].map(({ end }) => end('SIGTERM'))), [0, 0, 0])
})

test('a service that was away takes up what came meanwhile', async () => {
  const { environment } = surroundings
  const api = await startService('api', environment)
  const system = surroundings.describe(api.url ?? '')
  const key = await uploadScan(system, 2)
  const watcher = await startService('upload-watcher', environment)
  await eventually(() => hasEvent(system, key, 'image.uploaded'), 'the upload to be seen')
  assert.equal(await hasEvent(system, key, 'scan.dispatched'), false)
  const dispatcher = await startService('scan-dispatcher', environment)
  await eventually(() => hasEvent(system, key, 'scan.dispatched'), 'the scan to be dispatched')
  await Promise.all([api, watcher, dispatcher].map(({ end }) => end('SIGTERM')))
})

const services: ServiceName[] = ['api', 'upload-watcher', 'scan-dispatcher']

for (const name of services) {
  test(`${name} without an environment names every variable that it needs, and exits 1`, async () => {
    const { ended, output } = startProcess(`services/${name}/main.ts`, [], {})
    assert.equal(await ended, 1)
    assert.match(output(), /AWS_REGION is not set .*For example: AWS_REGION=/)
    assert.ok(output().split('\n').length > 2, output())
  })

  test(`${name} with a bucket, queue or topic that is not there says which, and exits 1`, async () => {
    const wrong = {
      S3_BUCKET: 'not-there',
      JOBS_QUEUE_URL: `${surroundings.describe('').aws_url}/000000000000/not-there.fifo`,
    }
    const { ended, output } = startProcess(`services/${name}/main.ts`, [], { ...surroundings.environment, ...wrong })
    assert.equal(await ended, 1)
    assert.match(output(), /^[a-z-]+: .*not-there/m)
  })
}
