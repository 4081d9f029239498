import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'

import { SetupError } from '#shared/ports/failures.ts'

import { docker } from '../../tools/support/docker.ts'
import { locks } from '../../tools/support/locks.ts'
import { askTicket, uploadFile } from '../support/client.ts'
import { eventually } from '../support/eventually.ts'
import { goodPhoto, pdfBytes } from '../support/images.ts'
import { temporaryDirectory } from '../support/local-system.ts'
import { readEvents, receiveJobs } from '../support/outside.ts'
import { openQueueOf, receiveAll } from '../support/queues.ts'
import { runTool } from '../support/run-tool.ts'
import { inspectContainer, killApi } from './containers.ts'
import { spoilResources } from './drift.ts'
import { hasEngine } from './engine.ts'
import { readKeys, readMetric, startComposeSystem, untilReady, type ComposeSystem } from './system.ts'

const canRun = await hasEngine()
const tried = locks.filter(({ ground }) => ground !== 'expired').map(({ name }) => name)
const ours = ['api', 'upload-watcher', 'scan-dispatcher', 'cdn']

suite('docker compose up', { skip: !canRun }, () => {
  const directory = temporaryDirectory()
  const photo = join(directory.path, 'photo.jpg')
  const liar = join(directory.path, 'liar.jpg')
  let running: ComposeSystem
  before(async () => {
    writeFileSync(photo, await goodPhoto('image/jpeg', { width: 640, height: 480 }))
    writeFileSync(liar, pdfBytes(1))
    running = await startComposeSystem()
  })
  after(async () => {
    await running.down()
    directory.remove()
  })
  const upload = (...args: string[]) => runTool('upload', [...args, '--compose'], running.environment)

  const provisionIn = (settings: Record<string, string>, ...args: string[]) => {
    const given = Object.entries(settings).flatMap(([name, value]) => ['--env', `${name}=${value}`])
    const run = ['run', '--rm', '--no-deps', '-T', ...given, 'provision']
    return running.compose(...run, 'node', 'tools/provision.ts', ...args)
  }

  test('a photo goes from the host to its job, and the CDN shows it', async () => {
    const { code, output, lines } = await upload(photo)
    assert.equal(code, 0, output)
    const steps = lines.map((line) => /^photo\.jpg +\d+ ms +(\w+)/.exec(line)?.[1])
    assert.deepEqual(steps, ['ticket', 'stored', 'accepted', 'dispatched', undefined])
    assert.match(lines.at(-1) ?? '', /^no result of the vision job yet/)
    const [job, ...others] = await receiveJobs(running.system)
    assert.ok(job)
    assert.deepEqual(others, [])
    assert.match(lines[3] ?? '', new RegExp(`vision job ${job.job_id}$`))
    const seen = await fetch(job.image_url)
    assert.deepEqual([seen.status, seen.headers.get('content-type')], [200, 'image/jpeg'])
    assert.ok(Buffer.from(await seen.arrayBuffer()).equals(await goodPhoto('image/jpeg', { width: 640, height: 480 })))
    const part = await fetch(job.image_url, { headers: { Range: 'bytes=0-1' } })
    assert.deepEqual([part.status, Buffer.from(await part.arrayBuffer()).toString('hex')], [206, 'ffd8'])
    assert.equal((await fetch(`${running.system.cdn_base_url}/scans/nothing`)).status, 403)
  })

  test('a PDF that calls itself a photo gets its ticket and then its refusal', async () => {
    const { code, output, lines } = await upload(liar)
    assert.equal(code, 1, output)
    assert.match(lines.at(-1) ?? '', /rejected +not_an_image: This is a PDF sent as image\/jpeg\.$/)
  })

  test('the app is a user of its own that cannot do more than it needs', async () => {
    const { system, compose } = running
    const bare = await fetch(`${system.aws_url}/${system.bucket}/scans/x`, { method: 'PUT', body: 'x' })
    assert.equal(bare.status, 403)
    const app = { ...system, ...(await readKeys(compose, 'app')) }
    assert.match(app.access_key_id, /^AKIA/)
    assert.notEqual(app.access_key_id, system.access_key_id)
    const refused = (error: unknown) =>
      error instanceof SetupError && error.message.includes('user/app is not authorized')
    await assert.rejects(receiveAll(openQueueOf(app, app.jobs_queue_url)), refused)
    await assert.rejects(openQueueOf(app, app.uploads_queue_url.replace('uploads', 'uploads-dlq')).ping(), refused)
  })

  test('containers of ours have no root, no capabilities and a root file system that is read-only', async () => {
    for (const service of [...ours, 'provision', 'topics', 'reconcile']) {
      const { Config, HostConfig } = await inspectContainer(running, service)
      assert.equal(Config.User, '1000:1000', service)
      assert.equal(Config.Cmd[0], 'node')
      assert.deepEqual([HostConfig.ReadonlyRootfs, HostConfig.CapDrop, HostConfig.Init], [true, ['ALL'], true], service)
      assert.deepEqual(HostConfig.SecurityOpt, ['no-new-privileges:true'])
    }
  })

  test('what is to live is restarted, and every published port is on loopback alone', async () => {
    for (const service of [...ours, 'kafka', 'store']) {
      const { HostConfig } = await inspectContainer(running, service)
      assert.equal(HostConfig.RestartPolicy.Name, 'unless-stopped', service)
      for (const [port, bindings] of Object.entries(HostConfig.PortBindings ?? {}))
        for (const { HostIp } of bindings) assert.equal(HostIp, '127.0.0.1', `${service} ${port}`)
    }
  })

  test('a service whose process dies comes back by itself', async () => {
    const id = (await running.compose('ps', '--quiet', 'api')).trim()
    await running.compose('exec', '-T', 'api', 'node', '-e', killApi).catch(() => undefined)
    const restarts = () => docker(['inspect', '--format', '{{.RestartCount}}', id])
    await eventually(async () => Number(await restarts()) > 0, 'a restart of the api', 60_000)
    await untilReady(running, 'api', 1)
  })

  test('provision has nothing to do any more, and changes nothing in a dry run', async () => {
    assert.match(await provisionIn({}), /^nothing to do: all is as it should be$/m)
    const dry = () => provisionIn({ S3_BUCKET: 'other-images', STATE_BUCKET: 'other-state' }, '--dry-run')
    const planned = await dry()
    assert.match(planned, /^bucket other-images: would be created$/m)
    assert.match(planned, /^queue image-uploads: would set Policy$/m)
    assert.equal(await dry(), planned)
    assert.match(await provisionIn({}), /^nothing to do/m)
  })

  test('provision says of what was changed by hand what it would do, does that and no more, and then nothing', async () => {
    const linesOf = (output: string) => output.split('\n').filter((line) => /^(queue|bucket) /.test(line))
    const changes = await spoilResources(running.system)
    const planned = linesOf(await provisionIn({}, '--dry-run'))
    assert.deepEqual(
      planned,
      changes.map((change) => change.replace(': set', ': would set')),
    )
    assert.deepEqual(linesOf(await provisionIn({})), changes)
    assert.match(await provisionIn({}), /^nothing to do/m)
    assert.equal((await upload(photo, '--purpose', 'profile')).code, 0)
  })

  test('the doctor names exactly the lock that the store lacks', async () => {
    const { code, output, lines } = await runTool('doctor', ['--compose', '--skip-expiry'], running.environment)
    assert.equal(code, 1, output)
    assert.match(output, /^notification +holds +image.uploaded in the event log/m)
    const found = lines.flatMap((line) => /^(.*\S) +(?:holds|BROKEN|UNCLEAR) /.exec(line)?.[1] ?? [])
    assert.deepEqual(found, ['honest PUT', 'notification', ...tried])
    assert.equal(lines.at(-1), 'not held: added header')
    assert.match(output, /^added header +BROKEN +200: /m)
  })

  test('and the store does lack it: by a header that nobody signed a ticket copies what its holder may not see', async () => {
    const file = async (userId: string, seed: number) =>
      ({
        purpose: 'chat',
        userId,
        contentType: 'image/png',
        body: await goodPhoto('image/png', { seed }),
        expected: 'accepted',
        pastTheApi: false,
      }) as const
    const [victim, thief] = await Promise.all([file('victim', 1), file('thief', 2)])
    const source = await uploadFile(running.system, victim)
    const ticket = await askTicket(running.system, thief)
    const headers = { ...ticket.required_headers, 'x-amz-copy-source': `/${running.system.bucket}/${source}` }
    const answer = await fetch(ticket.upload_url, { method: 'PUT', headers, body: thief.body })
    assert.equal(answer.status, 200, 'then docs/stores.md is to be changed')
    const copied = await fetch(`${running.system.cdn_base_url}/${ticket.key}`)
    assert.ok(Buffer.from(await copied.arrayBuffer()).equals(victim.body))
  })

  test('two watchers and two dispatchers share the work, and each scan has one job', async () => {
    await running.up('--scale', 'upload-watcher=2', '--scale', 'scan-dispatcher=2')
    const { system } = running
    const shares = (service: string, metric: string) =>
      Promise.all([1, 2].map((index) => readMetric(running, service, index, metric)))
    await eventually(
      async () => (await shares('scan-dispatcher', 'event_log_assigned_partitions')).every((count) => count > 0),
      'partitions for both dispatchers',
      120_000,
    )
    const keys = new Set<string>()
    const uploadSome = async (from: number) => {
      for (let seed = from; seed < from + 25; seed++) {
        const body = await goodPhoto('image/png', { seed })
        const file = { purpose: 'scan', userId: `u${seed}`, contentType: 'image/png', body } as const
        keys.add(await uploadFile(system, { ...file, expected: 'accepted', pastTheApi: false }))
      }
    }
    await Promise.all([100, 200, 300, 400].map(uploadSome))
    const dispatched = async () => {
      const events = await readEvents(system)
      return new Set(events.filter(({ type }) => type === 'scan.dispatched').map(({ subject }) => subject))
    }
    await eventually(async () => keys.isSubsetOf(await dispatched()), 'a dispatch of each scan', 180_000)
    assert.deepEqual((await receiveJobs(system)).map(({ key }) => key).sort(), [...keys].sort())
    for (const [service, metric] of [
      ['upload-watcher', 'image_intake_messages_received_total'],
      ['scan-dispatcher', 'image_intake_scans_total'],
    ] as const) {
      const counts = await shares(service, metric)
      assert.ok(
        counts.every((count) => count > 0),
        `${service}: ${counts.join(' and ')}`,
      )
    }
  })
})
