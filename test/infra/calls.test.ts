import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { after, before, test } from 'node:test'

import { PutBucketVersioningCommand } from '@aws-sdk/client-s3'

import { eventRecord } from '#shared/domain/events.ts'
import type { Purpose } from '#shared/domain/purposes.ts'

import { accessOf, accessTable, type Choice, type RoleName } from '../../infra/access.ts'
import { imagePolicy, privatePolicy } from '../../infra/bucket-policies.ts'
import { allow, policy, type Arns } from '../../infra/statements.ts'
import { evaluate, policySchema, type Policy } from '../../infra/test/support/evaluate.ts'
import { openLocalEventLog } from '../../tools/support/local-system.ts'
import { visionJob } from '../contract/job-queue.ts'
import { askTicket, openS3Of, putFile, tokenOf, type TestSystem } from '../support/client.ts'
import { eventually } from '../support/eventually.ts'
import { goodPhoto } from '../support/images.ts'
import { temporaryDirectory } from '../support/local-system.ts'
import { readEvents } from '../support/outside.ts'
import { openQueueOf, sendJob } from '../support/queues.ts'
import { openRecorder, queueAction, rightsOf, type NeededRight, type RecordedCall } from '../support/recorded-calls.ts'
import { openSurroundings, startService } from '../support/services.ts'
import { startWorkerOf } from '../support/worker.ts'

const callers = ['api', 'upload-watcher', 'scan-dispatcher', 'vision-worker'] as const
type Caller = (typeof callers)[number]
const patienceMs = 30_000

const directory = temporaryDirectory()
const needed = new Map<Caller, readonly NeededRight[]>()
const neededBy = (caller: Caller) => needed.get(caller) ?? []
let system: TestSystem

const call = async (method: string, path: string, expected: number) => {
  const headers = { Authorization: `Bearer ${await tokenOf('u', system.jwt_secret)}` }
  const answer = await fetch(`${system.api_url}/images/${path}`, { method, headers })
  assert.equal(answer.status, expected, `${method} ${path}`)
}
const upload = async (purpose: Purpose, seed: number, bytes?: Buffer) => {
  const body = bytes ?? (await goodPhoto('image/png', { seed }))
  const ticket = await askTicket(system, {
    purpose,
    userId: 'u',
    contentType: 'image/png',
    body,
    expected: 'accepted',
    pastTheApi: false,
  })
  await putFile(ticket, body)
  return ticket.key
}
const hasEvent = (key: string, type: string) =>
  eventually(
    async () => (await readEvents(system)).some((event) => event.subject === key && event.type === type),
    `${type} of ${key}`,
    patienceMs,
  )

/** A look at a profile image lasts until the watcher has kept its message hidden. */
const untilBeat = ({ method, url }: IncomingMessage, calls: readonly RecordedCall[]) =>
  method === 'GET' && url?.includes('/profiles/u/')
    ? eventually(() => calls.some((one) => queueAction(one) === 'ChangeMessageVisibility'), 'a heartbeat', patienceMs)
    : undefined

/** The ledger is asked about what was cancelled a moment ago. */
const repeatUpload = async (key: string) => {
  const uploaded = (await readEvents(system)).find(({ type, subject }) => type === 'image.uploaded' && subject === key)
  assert.ok(uploaded)
  const log = openLocalEventLog(system)
  await log.append([eventRecord(uploaded)])
  await log.close()
}

/** All that can become of an image, once in a bucket as it is and once in one with versions. */
const liveThrough = async (worker: { output: () => string }) => {
  for (const seed of [1, 2]) {
    if (seed === 2) {
      const VersioningConfiguration = { Status: 'Enabled' } as const
      await openS3Of(system).send(new PutBucketVersioningCommand({ Bucket: system.bucket, VersioningConfiguration }))
    }
    const scan = await upload('scan', seed)
    await upload('profile', seed)
    const lie = await upload('chat', seed, Buffer.from('no image at all'))
    await hasEvent(scan, 'scan.dispatched')
    await hasEvent(lie, 'image.rejected')
    await hasEvent(lie, 'image.deleted')
    await eventually(() => worker.output().split(' analyzed ').length > seed, 'the worker to be done', patienceMs)
    await call('GET', `${scan}/metadata`, 200)
    await call('DELETE', scan, 204)
    await hasEvent(scan, 'image.deleted')
    await call('GET', `${scan}/metadata`, 404)
    await repeatUpload(scan)
  }
  await openQueueOf(system, system.uploads_queue_url).send({ body: 'no notification' })
  const job = visionJob('gone', { key: 'scans/20260101/u/00', bucket: system.bucket })
  await sendJob(openQueueOf(system, system.jobs_queue_url), job)
  await eventually(() => / gone: /.test(worker.output()), 'the worker to miss an image', patienceMs)
}

before(async () => {
  const surroundings = await openSurroundings(directory.path)
  const { aws_url: target } = surroundings.describe('')
  const open = async (caller: Caller) =>
    [caller, await openRecorder(target, caller === 'upload-watcher' ? { call: untilBeat } : {})] as const
  // The keys are those of the list.
  const doors = Object.fromEntries(await Promise.all(callers.map(open))) as Record<
    Caller,
    Awaited<ReturnType<typeof openRecorder>>
  >
  const environmentOf = (caller: Caller) => ({
    ...surroundings.environment,
    AWS_ENDPOINT_URL_S3: doors[caller].url,
    AWS_ENDPOINT_URL_SQS: doors[caller].url,
    REJECTED_ACTION: 'delete',
  })
  const services = await Promise.all(
    (['api', 'upload-watcher', 'scan-dispatcher'] as const).map((name) => startService(name, environmentOf(name))),
  )
  system = surroundings.describe(services[0]?.url ?? '')
  const worker = startWorkerOf({ ...system, aws_url: doors['vision-worker'].url }, directory.path)
  const quarantined = () => doors['upload-watcher'].calls.some(({ body }) => body.includes('no notification'))
  const looked = () => doors['scan-dispatcher'].calls.some(({ method }) => method === 'GET')
  try {
    await liveThrough(worker)
    await eventually(quarantined, 'the quarantine', patienceMs)
    await eventually(looked, 'the ledger to be asked', patienceMs)
  } finally {
    worker.child.kill('SIGTERM')
    await Promise.all([worker.ended, ...services.map(({ end }) => end('SIGTERM'))])
    for (const { close } of Object.values(doors)) close()
    await surroundings.close()
  }
  for (const caller of callers) needed.set(caller, doors[caller].calls.flatMap(rightsOf))
})
after(() => directory.remove())

const s3 = (resource: string) => `arn:aws:s3:::${resource}`
const sqs = (queue: string) => `arn:aws:sqs:eu-central-1:111122223333:${queue}`
const arnOf = ({ action, resource }: NeededRight) => (action.startsWith('sqs:') ? sqs(resource) : s3(resource))
const arns = (): Arns => ({
  bucket: (role) => s3(role === 'images' ? system.bucket : system.state_bucket),
  queue: sqs,
})
const choices = new Set<Choice>(['rejected-are-deleted', 'worker'])
const read = (written: unknown): Policy => policySchema.parse(written)
const roleArn = (role: RoleName) => `arn:aws:iam::111122223333:role/${role}`

const decide = (role: Caller, right: NeededRight) => {
  const rows = accessOf(role, choices).map((row) => allow(row, arns()))
  const images = imagePolicy({
    bucketArn: s3(system.bucket),
    apiRoleArn: roleArn('api'),
    ticketSeconds: 300,
    distributionArn: 'arn:aws:cloudfront::111122223333:distribution/E1EXAMPLE',
  })
  const ofResource = right.resource.startsWith(`${system.bucket}/`) ? images : privatePolicy(s3(system.state_bucket))
  const context = { ...right.context, 'aws:SecureTransport': 'true', 's3:TlsVersion': '1.3', 's3:signatureAge': '1000' }
  const asked = { action: right.action, resource: arnOf(right), caller: { role: roleArn(role) }, context }
  return evaluate(asked, { own: [read(policy(...rows))], ofResource: [read(ofResource)] })
}

for (const role of callers) {
  test(`every call that ${role} makes is allowed to its role, and refused by no bucket`, () => {
    assert.ok(neededBy(role).length > 5, `only ${neededBy(role).length} calls were seen`)
    const refused = neededBy(role).flatMap((right) => {
      const decision = decide(role, right)
      return decision === 'allowed' ? [] : [`${right.action} on ${right.resource}: ${decision}`]
    })
    assert.deepEqual([...new Set(refused)], [])
  })

  test(`${role} makes every call that its role allows`, () => {
    const idle = accessTable
      .filter((row) => row.role === role)
      .flatMap((row) =>
        row.calls
          .filter((action) => !action.startsWith('kafka-cluster:'))
          .filter((action) => {
            const own = [read(policy(allow({ ...row, calls: [action] }, arns())))]
            return !neededBy(role).some((right) => {
              const asked = { action: right.action, resource: arnOf(right), context: right.context }
              return right.action === action && evaluate(asked, { own }) === 'allowed'
            })
          })
          .map((action) => `${action}: ${row.why}`),
      )
    // It is due ten seconds after a job was taken.
    const unseen = role === 'vision-worker' ? ['sqs:ChangeMessageVisibility: takes jobs'] : []
    assert.deepEqual(idle, unseen)
  })
}
