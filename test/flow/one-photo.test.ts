import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { goodPhoto, pdfBytes } from '../support/images.ts'
import { startProcess, startSystem, temporaryDirectory, type RunningSystem } from '../support/local-system.ts'
import { receiveJobs } from '../support/outside.ts'

const directory = temporaryDirectory()
const dataPath = join(directory.path, 'data')
const photo = join(directory.path, 'photo.jpg')
const liar = join(directory.path, 'liar.jpg')
let running: RunningSystem

before(async () => {
  writeFileSync(photo, await goodPhoto('image/jpeg', { width: 640, height: 480 }))
  writeFileSync(liar, pdfBytes(1))
  running = await startSystem(dataPath)
})
after(async () => {
  await running.end('SIGTERM')
  directory.remove()
})

const runTool = async (name: string, ...args: string[]) => {
  const { output, ended } = startProcess(`tools/${name}.ts`, args, { DATA_DIR: dataPath })
  return { code: await ended, output, lines: output().trimEnd().split('\n') }
}

test('an uploaded scan is told step by step down to its job, and the job is in the queue', async () => {
  const { code, output, lines } = await runTool('upload', photo)
  assert.equal(code, 0, output())
  assert.deepEqual(
    lines.map((line) => /^photo\.jpg +\d+ ms +(\w+)/.exec(line)?.[1]),
    ['ticket', 'stored', 'accepted', 'dispatched', undefined],
  )
  assert.equal(lines[4], 'no result of the vision job yet: `npm run worker` begins a worker')
  const [job] = await receiveJobs(running.system)
  assert.match(lines[3] ?? '', new RegExp(`vision job ${job?.job_id}$`))
  assert.equal(job?.width, 640)
})

test('the job names an image that the CDN shows as it was uploaded', async () => {
  const { lines } = await runTool('upload', photo, '--purpose', 'profile')
  const key = lines[0]?.split(/ +/).at(-1) ?? ''
  const seen = await fetch(`${running.system.cdn_base_url}/${key}`)
  assert.equal(seen.status, 200)
  assert.equal(seen.headers.get('content-type'), 'image/jpeg')
  assert.deepEqual(Buffer.from(await seen.arrayBuffer()), await goodPhoto('image/jpeg', { width: 640, height: 480 }))
})

test('a liar gets its ticket and then its refusal, and the command exits 1', async () => {
  const { code, output, lines } = await runTool('upload', liar)
  assert.equal(code, 1, output())
  assert.match(lines.at(-1) ?? '', /rejected +not_an_image: This is a PDF sent as image\/jpeg\.$/)
})

test('one bad file among good ones makes the command exit 1 and stops no other', async () => {
  const { code, output } = await runTool('upload', photo, liar, photo)
  assert.equal(code, 1)
  assert.match(output(), /2 of 3 accepted/)
})

test('a file of a type that is not taken is refused with what would be right', async () => {
  const heic = join(directory.path, 'photo.heic')
  writeFileSync(heic, 'any bytes')
  const { code, output } = await runTool('upload', heic)
  assert.equal(code, 1)
  assert.match(output(), /415 content_type_not_allowed: .*convert the photo to JPEG/)
})

test('a file that is not there is named', async () => {
  const { code, output } = await runTool('upload', join(directory.path, 'nowhere.jpg'))
  assert.equal(code, 1)
  assert.match(output(), /nowhere\.jpg +failed: .*no such file/)
})

test('events are printed as JSON lines, by topic', async () => {
  const { lines } = await runTool('events', '--from-start', '--topic', 'image.rejected')
  for (const line of lines) assert.equal((JSON.parse(line) as { type: string }).type, 'image.rejected') // our own event
  assert.ok(lines.length >= 2)
})

test('a metadata call with a token of the token command tells the verdict', async () => {
  const { lines } = await runTool('upload', photo, '--user', 'somebody@example.com')
  const key = lines[0]?.split(/ +/).at(-1) ?? ''
  const token = (await runTool('token', 'somebody@example.com')).output().trim()
  const answer = await fetch(`${running.system.api_url}/images/${key}/metadata`, {
    headers: { Authorization: `Bearer ${token}` },
  })
  const body = (await answer.json()) as { status: string; width: number } // the API's own tests check this shape
  assert.deepEqual([answer.status, body.status, body.width], [200, 'accepted', 640])
})

test('wrong arguments are answered with the usage and exit code 2', async () => {
  for (const [tool, ...args] of [
    ['upload'],
    ['upload', '--purpose', 'x', photo],
    ['events', '--topic', 'x'],
    ['token'],
    ['upload', '--nonsense'],
  ]) {
    const { code, output } = await runTool(tool ?? '', ...args)
    assert.equal(code, 2, output())
    assert.match(output(), /npm run /)
  }
})
