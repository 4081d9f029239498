import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { environmentOf } from '../../tools/support/local-system.ts'
import { tokenOf } from '../support/client.ts'
import { eventually } from '../support/eventually.ts'
import { goodPhoto, pdfBytes } from '../support/images.ts'
import { startSystem, temporaryDirectory, type RunningSystem } from '../support/local-system.ts'
import { runTool } from '../support/run-tool.ts'

const directory = temporaryDirectory()
const environment = { DATA_DIR: join(directory.path, 'data') }
let running: RunningSystem

before(async () => {
  running = await startSystem(environment.DATA_DIR)
})
after(async () => {
  await running.end('SIGTERM')
  directory.remove()
})

/** Uploads a file and gives the key of its ticket. */
const upload = async (name: string, bytes: Buffer) => {
  const path = join(directory.path, name)
  writeFileSync(path, bytes)
  const { output } = await runTool('upload', [path], environment)
  return / ticket +(\S+)/.exec(output)?.[1] ?? assert.fail(output)
}

test('the story of a scan goes from its ticket to its job', async () => {
  const key = await upload('photo.jpg', await goodPhoto('image/jpeg', { width: 64, height: 48 }))
  const { code, output } = await runTool('trace', [`${running.system.cdn_base_url}/${key}`], environment)
  assert.equal(code, 0, output)
  for (const part of [
    /^ {2}key +a scan image of user "user-1"/m,
    /^ {2}store +\d+ bytes as image\/jpeg/m,
    /^ {2}verdict +accepted, 64 x 48 pixels/m,
    /^ {2}event +\S+ image.uploaded, id [0-9a-f]{32}/m,
    /^ {2}event +\S+ scan.dispatched, /m,
    /^ {2}so +Its job is in the queue/m,
  ]) {
    assert.match(output, part)
  }
})

test('the story of a liar ends with its refusal', async () => {
  const key = await upload('liar.jpg', pdfBytes(1))
  const { code, output } = await runTool('trace', [key], environment)
  assert.equal(code, 0, output)
  assert.match(output, /^ {2}so +It was refused: This is a PDF sent as image\/jpeg\.$/m)
})

/** The story of a key in the end; `expected` is in it. */
const traceUntil = async (key: string, expected: RegExp) =>
  eventually(
    async () => {
      const { code, output } = await runTool('trace', [key], environment)
      assert.equal(code, 0, output)
      return expected.test(output) ? output : undefined
    },
    `${expected} in the story of ${key}`,
    20_000,
  )

test('the story of a deleted image tells of its events and its end', async () => {
  const key = await upload('deleted.jpg', await goodPhoto('image/jpeg', { width: 65, height: 48 }))
  const headers = { Authorization: `Bearer ${await tokenOf('user-1')}` }
  const { status } = await fetch(`${running.system.api_url}/images/${key}`, { method: 'DELETE', headers })
  assert.equal(status, 204)
  const story = await traceUntil(key, /image\.deleted/)
  for (const part of [
    /^ {2}store +nothing is stored/m,
    /image\.deleted, .*cause deleted$/m,
    /^ {2}so +It was deleted\.$/m,
  ])
    assert.match(story, part)
})

test('the story of an image that was kept for as long as it may be ends with that', async () => {
  const key = await upload('expired.jpg', await goodPhoto('image/jpeg', { width: 66, height: 48 }))
  const at = new Date(Date.now() + 40 * 86_400_000).toISOString()
  const { code, output } = await runTool('expire', ['--at', at], environment)
  assert.equal(code, 0, output)
  const story = await traceUntil(key, /image\.deleted/)
  for (const part of [
    /image\.uploaded/,
    /cause expired$/m,
    /^ {2}so +It was kept for as long as its purpose says, and is gone\.$/m,
  ])
    assert.match(story, part)
})

test('a source that is away is named, the others tell what they know, and the exit code is 1', async () => {
  const key = await upload('again.jpg', await goodPhoto('image/jpeg', { width: 67, height: 48 }))
  const noKafka = await runTool('trace', [key], { ...environment, KAFKA_BROKERS: '127.0.0.1:9' })
  assert.equal(noKafka.code, 1, noKafka.output)
  for (const part of [
    /^ {2}store +\d+ bytes as image\/jpeg/m,
    /^ {2}verdict +accepted/m,
    /^ {2}event log +can't be asked: .*127\.0\.0\.1:9/m,
    /^ {2}so +The story is not whole without event log/m,
  ])
    assert.match(noKafka.output, part)

  const { system } = running
  const noStore = await runTool('trace', [key], {
    ...environment,
    ...environmentOf(system),
    EVENT_LOG: system.event_log,
    AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:9',
  })
  assert.equal(noStore.code, 1, noStore.output)
  for (const part of [
    /^ {2}store +can't be asked: /m,
    /^ {2}verdict +can't be asked: /m,
    /^ {2}event +\S+ image.uploaded, /m,
    /^ {2}so +The story is not whole without store, verdict, job/m,
  ])
    assert.match(noStore.output, part)
  assert.doesNotMatch(noStore.output, /nothing is stored|\n +at /)
})

test('an image of which nothing is known is exit code 1, and what is no key exit code 2', async () => {
  const unknown = await runTool('trace', ['profiles/user-1/0f8fad5bd9cb469fa16570867728950e'], environment)
  assert.equal(unknown.code, 1, unknown.output)
  assert.match(unknown.output, /Nothing was ever stored under this key/)
  for (const args of [[], ['photo.jpg'], ['one', 'two']]) {
    const { code, output } = await runTool('trace', args, environment)
    assert.equal(code, 2, output)
    assert.match(output, /npm run trace -- KEY/)
  }
})
