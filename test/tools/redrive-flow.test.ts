import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { deadLetterOf } from '#shared/adapters/record-handling.ts'
import { deadLetterTopic, queueNames } from '#shared/domain/resources.ts'
import { redriveCountName } from '#shared/domain/redrive.ts'
import type { EventLog } from '#shared/ports/event-log.ts'

import { openLocalEventLog } from '../../tools/support/local-system.ts'
import { eventually } from '../support/eventually.ts'
import { goodPhoto } from '../support/images.ts'
import { startSystem, temporaryDirectory, type RunningSystem } from '../support/local-system.ts'
import { openQueueOf, receiveAll } from '../support/queues.ts'
import { runTool } from '../support/run-tool.ts'

const directory = temporaryDirectory()
const dataPath = join(directory.path, 'data')
const photo = join(directory.path, 'photo.jpg')
const never = new AbortController().signal
const topic = 'image.uploaded'
let running: RunningSystem
let log: EventLog

before(async () => {
  writeFileSync(photo, await goodPhoto('image/jpeg', { width: 64, height: 48 }))
  running = await startSystem(dataPath)
  log = openLocalEventLog(running.system)
})
after(async () => {
  await log.close()
  await running.end('SIGTERM')
  directory.remove()
})

const redrive = (...args: string[]) => runTool('redrive', args, { DATA_DIR: dataPath })

/** Uploads a scan and waits for its job. */
const uploadScan = async () => {
  const { code, output, lines } = await runTool('upload', [photo], { DATA_DIR: dataPath })
  assert.equal(code, 0, output)
  return lines[0]?.split(/ +/).at(-1) ?? ''
}

const readTopic = async (name: string) =>
  Array.fromAsync(await log.read({ topics: [name], from: 'start', follow: false, signal: never }))

const queueBeside = (url: string, name: string) => openQueueOf(running.system, url.replace(/[^/]+$/, name))

test('a poison record goes round three times and is then held back', async () => {
  const lettersOf = async () => (await readTopic(deadLetterTopic(topic))).filter(({ value }) => value === 'no JSON')
  const becomesLetter = async (letters: number) =>
    eventually(async () => (await lettersOf()).length === letters, `letter ${letters}`)
  await log.append([{ topic, key: 'poison', value: 'no JSON' }])
  await becomesLetter(1)
  for (const count of [1, 2, 3]) {
    const { code, output, lines } = await redrive(topic)
    assert.equal(code, 0, output)
    assert.equal(lines[0], '1 of image.uploaded.dead-letter put back into image.uploaded')
    assert.match(lines[1] ?? '', /^ +1 {2}since [^ ]+ {2}the record is not JSON {2}\(such as poison\)$/)
    await becomesLetter(count + 1)
    assert.equal((await lettersOf()).at(-1)?.headers[redriveCountName], String(count))
  }
  const { output } = await redrive(topic)
  assert.match(output, /^0 of image\.uploaded\.dead-letter put back/)
  assert.match(output, /^1 held back: put back 3 times already, --force does it once more$/m)
  assert.equal((await lettersOf()).length, 4)
})

test('an event that was given up for no fault of its own becomes its job, under the same id', async () => {
  const key = await uploadScan()
  const eventsOf = async (name: string) => (await readTopic(name)).filter((record) => record.key === key)
  const [published] = await eventsOf(topic)
  assert.ok(published)
  await log.append([deadLetterOf(published, { reason: 'a bug', attempts: 5 }, new Date())])

  assert.match((await redrive(topic, '--dry-run')).output, /^1 of .* would be put back, but this is a dry run/)
  assert.equal((await eventsOf(topic)).length, 1)
  await redrive(topic)
  await eventually(async () => (await eventsOf('scan.dispatched')).length === 2, 'the second dispatch')
  const [first, second] = await eventsOf('scan.dispatched')
  assert.equal(first?.value.match(/"id":"\w+"/)?.[0], second?.value.match(/"id":"\w+"/)?.[0])
  assert.deepEqual(
    (await eventsOf(topic)).map(({ value }) => value),
    [published.value, published.value],
  )
  assert.doesNotMatch((await redrive(topic)).output, /a bug/)
})

test('a quarantined message comes back to the quarantine with its count', async () => {
  const quarantine = openQueueOf(running.system, running.system.quarantine_queue_url)
  const uploads = openQueueOf(running.system, running.system.uploads_queue_url)
  await uploads.send({ body: 'no notification' })
  const dryRun = () => redrive('quarantine', '--dry-run')
  const preview = await eventually(async () => {
    const { output } = await dryRun()
    return output.startsWith('1 of image-quarantine') ? output : undefined
  }, 'the message to be quarantined')
  assert.match(
    preview,
    /would be put back, but this is a dry run into image-uploads\n +1 {2}since .* {2}the message is not JSON {2}\(such as message /,
  )
  assert.equal((await redrive('quarantine')).lines[0], '1 of image-quarantine put back into image-uploads')
  const [message] = await eventually(async () => {
    const messages = await receiveAll(quarantine)
    return messages.length > 0 ? messages : undefined
  }, 'the message to come back')
  assert.equal(message?.body, 'no notification')
  assert.deepEqual(
    [message.attributes['reason'], message.attributes[redriveCountName]],
    ['the message is not JSON', '1'],
  )
})

test('a notification in the dead-letter queue becomes its event', async () => {
  const key = await uploadScan()
  const letters = queueBeside(running.system.uploads_queue_url, queueNames.uploadsDeadLetters)
  const object = { key, size: 1, eTag: 'x' }
  const s3 = { s3SchemaVersion: '1.0', bucket: { name: running.system.bucket }, object }
  const record = {
    eventVersion: '2.1',
    eventSource: 'aws:s3',
    eventName: 'ObjectCreated:Put',
    eventTime: new Date().toISOString(),
    s3,
  }
  await letters.send({ body: JSON.stringify({ Records: [record] }) })
  const eventsOf = async () => (await readTopic(topic)).filter((event) => event.key === key)

  assert.match((await redrive('uploads', '--dry-run')).output, new RegExp(`such as ${key}`))
  assert.equal((await eventsOf()).length, 1)
  const { code, output } = await redrive('uploads')
  assert.equal(code, 0, output)
  const events = await eventually(async () => {
    const found = await eventsOf()
    return found.length === 2 ? found : undefined
  }, 'the event to be published again')
  assert.equal(events[0]?.value, events[1]?.value)
})

test('a job comes back in its group although its id was used a moment ago; a second run sends nothing', async () => {
  const jobs = openQueueOf(running.system, running.system.jobs_queue_url)
  const letters = queueBeside(running.system.jobs_queue_url, queueNames.jobsDeadLetters)
  for (const message of await receiveAll(jobs)) await jobs.acknowledge(message)
  const key = await uploadScan()
  const [job] = await receiveAll(jobs)
  assert.ok(job?.group)
  const { job_id } = JSON.parse(job.body) as { job_id: string } // a job of ours
  await letters.send({ body: job.body, fifo: { group: job.group, deduplicationId: job_id } })
  await jobs.acknowledge(job)

  const { lines, output } = await redrive('jobs', '--limit', '5')
  assert.equal(lines[0], '1 of vision-analysis-jobs-dlq.fifo put back into vision-analysis-jobs.fifo', output)
  assert.match(lines[1] ?? '', new RegExp(`such as ${key}`))
  const [again, ...others] = await receiveAll(jobs)
  assert.deepEqual(others, [])
  assert.deepEqual([again?.body, again?.group, again?.attributes[redriveCountName]], [job.body, job.group, '1'])
  assert.match((await redrive('jobs')).output, /^nothing to do: nothing waits in vision-analysis-jobs-dlq\.fifo$/m)
})

test('wrong arguments are answered with the usage and exit code 2', async () => {
  for (const args of [[], ['image.rejected'], ['jobs', 'uploads'], ['jobs', '--limit', '0'], ['jobs', '--nonsense']]) {
    const { code, output } = await redrive(...args)
    assert.equal(code, 2, output)
    assert.match(output, /^npm run redrive -- uploads\|quarantine\|jobs\|image\.uploaded\|image\.deleted /m)
  }
})

test('without a running system or an environment that names one, one sentence says what is needed', async () => {
  for (const name of ['jobs', topic]) {
    const { code, output } = await runTool('redrive', [name], { DATA_DIR: join(directory.path, 'nothing') })
    assert.equal(code, 1)
    assert.match(output, /no image-intake runs in .*npm start/)
  }
})

test('the environment names a queue without a running system', async () => {
  const { system } = running
  const { code, output } = await runTool('redrive', ['uploads', '--dry-run'], {
    AWS_REGION: system.region,
    AWS_ENDPOINT_URL_SQS: system.aws_url,
    AWS_ACCESS_KEY_ID: system.access_key_id,
    AWS_SECRET_ACCESS_KEY: system.secret_access_key,
    UPLOADS_QUEUE_URL: system.uploads_queue_url,
  })
  assert.equal(code, 0, output)
  assert.match(output, /nothing to do/)
})
