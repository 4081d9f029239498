import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { after, before, test } from 'node:test'

import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3'

import { readVerdict } from '#shared/domain/verdict.ts'
import { openS3Of, uploadFile, type TestSystem } from '../support/client.ts'
import { eventually } from '../support/eventually.ts'
import { planFile, type PlannedFile } from '../support/file-mix.ts'
import { startProcess, temporaryDirectory } from '../support/local-system.ts'
import { countMessages, expectedEventIds, readEvents } from '../support/outside.ts'
import { chosenSeed, seededRandom } from '../support/random.ts'
import { openSurroundings } from '../support/services.ts'

const kills = 6
const filesPerLife = 20

const directory = temporaryDirectory()
let surroundings: Awaited<ReturnType<typeof openSurroundings>>
before(async () => {
  surroundings = await openSurroundings(directory.path)
})
after(async () => {
  await surroundings.close()
  directory.remove()
})

const startWatcher = () => startProcess('services/upload-watcher/main.ts', [], surroundings.environment)

/** Uploads that lie in wait for the watcher, and go on while it is killed, at any moment from its first line of code on. */
const uploadUnderKills = async (system: TestSystem, random: () => number) => {
  const uploaded = new Map<string, PlannedFile>()
  const upload = async () => {
    const file = { ...(await planFile(random, uploaded.size)), pastTheApi: true }
    uploaded.set(await uploadFile(system, file), file)
  }
  for (let life = 0; life < kills; life++) {
    const uploading = Promise.all(Array.from({ length: filesPerLife }, upload))
    const { child, output, ended } = startWatcher()
    // Half of the kills come while it starts, the others while it works.
    if (life % 2 === 1) await eventually(() => output().includes('"notification '), 'the first outcome', 30_000)
    await sleep(random() * (life % 2 === 1 ? 60 : 600))
    child.kill('SIGKILL')
    await Promise.all([ended, uploading])
  }
  return uploaded
}

const readStoredVerdict = async (s3: S3Client, { state_bucket }: TestSystem, key: string) => {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: state_bucket, Key: `verdicts/${key}` }))
  return Body && readVerdict(await Body.transformToByteArray())
}

test('a watcher killed at random moments loses nothing, makes no new id, and stores each verdict', async (t) => {
  const seed = chosenSeed()
  t.diagnostic(`SEED=${seed}`)
  const system = surroundings.describe('')
  const uploaded = await uploadUnderKills(system, seededRandom(seed))
  const { child, ended, output } = startWatcher()
  try {
    await eventually(
      async () => (await countMessages(system, system.uploads_queue_url)) === 0,
      'the queue to be empty',
      60_000,
    )
  } finally {
    child.kill('SIGTERM')
  }
  assert.equal(await ended, 0, output())

  const events = await readEvents(system)
  const typeOf = (key: string) => (uploaded.get(key)?.expected === 'accepted' ? 'image.uploaded' : 'image.rejected')
  const ids = await expectedEventIds(system, typeOf)
  assert.deepEqual([...ids.keys()].sort(), [...uploaded.keys()].sort())
  assert.deepEqual(new Set(events.map(({ id }) => id)), new Set(ids.values()))
  const s3 = openS3Of(system)
  for (const [key, { expected }] of uploaded) {
    const verdict = await readStoredVerdict(s3, system, key)
    assert.deepEqual([verdict?.reason ?? verdict?.verdict, verdict?.event_id], [expected, ids.get(key)], key)
  }
  s3.destroy()
  assert.equal(await countMessages(system, system.quarantine_queue_url), 0)
  t.diagnostic(`${events.length - ids.size} of ${ids.size} events are repeats`)
})
