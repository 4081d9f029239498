import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { SignJWT } from 'jose'

import type { LocalSystem } from '#shared/domain/local-mode.ts'

import { putFile, type Ticket } from '../support/client.ts'
import { eventually } from '../support/eventually.ts'
import { goodPhoto } from '../support/images.ts'
import { startProcess, temporaryDirectory } from '../support/local-system.ts'
import { readEvents, receiveJobs } from '../support/outside.ts'
import { jwtSecret, openSurroundings, startService, type ServiceName } from '../support/services.ts'

const directory = temporaryDirectory()
let surroundings: Awaited<ReturnType<typeof openSurroundings>>
before(async () => {
  surroundings = await openSurroundings(directory.path)
})
after(async () => {
  await surroundings.close()
  directory.remove()
})

const outside = () => {
  const { environment } = surroundings
  return {
    region: environment.AWS_REGION,
    aws_url: surroundings.awsUrl,
    access_key_id: environment.AWS_ACCESS_KEY_ID,
    secret_access_key: environment.AWS_SECRET_ACCESS_KEY,
    jobs_queue_url: environment.JOBS_QUEUE_URL,
    event_log: environment.EVENT_LOG,
  } as LocalSystem // the fields that the calls below read
}

const uploadScan = async (apiUrl: string, seed: number) => {
  const token = await new SignJWT()
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject('u')
    .setExpirationTime('5m')
    .sign(new TextEncoder().encode(jwtSecret))
  const body = await goodPhoto('image/png', { seed })
  const answer = await fetch(`${apiUrl}/images/presigned-url/scan`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}` },
    body: JSON.stringify({ content_type: 'image/png', content_length: body.length }),
  })
  const ticket = (await answer.json()) as Ticket // the API's own tests check this shape
  await putFile(ticket, body)
  return ticket.key
}

const hasEvent = async (key: string, type: string) =>
  (await readEvents(outside())).some((event) => event.subject === key && event.type === type)

test('three services, each in a process of its own, take a scan to its job', async () => {
  const { environment } = surroundings
  const api = await startService('api', environment)
  const watcher = await startService('upload-watcher', environment)
  const dispatcher = await startService('scan-dispatcher', environment)
  const key = await uploadScan(api.url ?? '', 1)
  await eventually(() => hasEvent(key, 'scan.dispatched'), 'the scan to be dispatched')
  assert.deepEqual(
    (await receiveJobs(outside())).map((job) => job.key),
    [key],
  )

  for (const { health } of [api, watcher, dispatcher]) {
    assert.equal((await fetch(`${health}/healthz`)).status, 200)
    assert.equal((await fetch(`${health}/readyz`)).status, 200)
    assert.match(await (await fetch(`${health}/metrics`)).text(), /image_intake_/)
  }
  assert.deepEqual(await Promise.all([api, watcher, dispatcher].map(({ end }) => end('SIGTERM'))), [0, 0, 0])
})

test('a service that was away takes up what came meanwhile', async () => {
  const { environment } = surroundings
  const api = await startService('api', environment)
  const key = await uploadScan(api.url ?? '', 2)
  const watcher = await startService('upload-watcher', environment)
  await eventually(() => hasEvent(key, 'image.uploaded'), 'the upload to be seen')
  assert.equal(await hasEvent(key, 'scan.dispatched'), false)
  const dispatcher = await startService('scan-dispatcher', environment)
  await eventually(() => hasEvent(key, 'scan.dispatched'), 'the scan to be dispatched')
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
    const wrong = { S3_BUCKET: 'not-there', JOBS_QUEUE_URL: `${surroundings.awsUrl}/000000000000/not-there.fifo` }
    const { ended, output } = startProcess(`services/${name}/main.ts`, [], { ...surroundings.environment, ...wrong })
    assert.equal(await ended, 1)
    assert.match(output(), /^[a-z-]+: .*not-there/m)
  })
}
