import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

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
