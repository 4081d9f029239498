import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { eventSchemas } from '#shared/domain/events.ts'

import { openLocalEventLog } from '../../tools/support/local-system.ts'
import { tokenOf, uploadFile } from '../support/client.ts'
import { openContracts } from '../support/contracts.ts'
import { eventually } from '../support/eventually.ts'
import { planFile, type PlannedFile } from '../support/file-mix.ts'
import { startSystem, temporaryDirectory, type RunningSystem } from '../support/local-system.ts'
import { waitForVerdicts } from '../support/mixed-run.ts'
import { openQueueOf, receiveAll } from '../support/queues.ts'
import { chosenSeed, seededRandom } from '../support/random.ts'
import { startWorker } from '../support/worker.ts'

const directory = temporaryDirectory()
const findProblem = openContracts()
let running: RunningSystem

before(async () => {
  running = await startSystem(directory.path)
})
after(async () => {
  await running.end('SIGTERM')
  directory.remove()
})

/** As they stand in the log: nothing of ours has read them. */
const readPublished = async () => {
  const log = openLocalEventLog(running.system)
  const topics = Object.keys(eventSchemas)
  const published: { topic: string; value: unknown }[] = []
  const { signal } = new AbortController()
  for await (const { topic, value } of await log.read({ topics, from: 'start', follow: false, signal })) {
    published.push({ topic, value: JSON.parse(value) })
  }
  await log.close()
  return published
}

const deleteImage = async (key: string, { userId }: PlannedFile) => {
  const headers = { Authorization: `Bearer ${await tokenOf(userId)}` }
  const answer = await fetch(`${running.system.api_url}/images/${key}`, { method: 'DELETE', headers })
  assert.equal(answer.status, 204)
}

/** What waits in the jobs queue; a worker may have it after that. */
const lookAtJobs = async () => {
  const queue = openQueueOf(running.system, running.system.jobs_queue_url)
  const jobs = await receiveAll(queue)
  await Promise.all(jobs.map((job) => queue.extend(job, 0)))
  return jobs
}

const runWorker = async () => {
  const worker = startWorker(directory.path)
  const isAnalyzed = async () => (await readPublished()).some(({ topic }) => topic === 'scan.analyzed')
  await eventually(isAnalyzed, 'a scan to be analyzed', 30_000)
  worker.child.kill('SIGTERM')
  assert.equal(await worker.ended, 0, worker.output())
}

test('every event and every job that is really published keeps its contract', async (t) => {
  const seed = chosenSeed()
  t.diagnostic(`SEED=${seed}`)
  const random = seededRandom(seed)
  const uploaded = new Map<string, PlannedFile>()
  for (let index = 0; index < 60; index++) {
    const file = await planFile(random, index)
    uploaded.set(await uploadFile(running.system, file), file)
  }
  await waitForVerdicts(running.system, uploaded, 30_000)
  for (const [key, file] of [...uploaded].slice(0, 5)) await deleteImage(key, file)
  const isDeleted = async () => (await readPublished()).filter(({ topic }) => topic === 'image.deleted').length >= 5
  await eventually(isDeleted, 'the deletions to be published')

  const jobs = await lookAtJobs()
  await runWorker()
  const published = await readPublished()
  assert.deepEqual([...new Set(published.map(({ topic }) => topic))].sort(), Object.keys(eventSchemas).sort())
  assert.ok(jobs.length > 0)
  const problems = [
    ...published.map(({ topic, value }) => findProblem(topic, value)),
    ...jobs.map(({ body }) => findProblem('vision-job', JSON.parse(body))),
  ]
  assert.deepEqual(
    problems.filter((problem) => problem !== undefined),
    [],
  )
})

test('the contracts refuse what is not so', () => {
  assert.match(findProblem('image.deleted', {}) ?? '', /must have required property 'specversion'/)
  assert.match(findProblem('vision-job', { job_id: 'no id' }) ?? '', /job_id must match pattern/)
})
