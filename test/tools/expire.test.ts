import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { purposes } from '#shared/domain/purposes.ts'

import { eventually } from '../support/eventually.ts'
import { goodPhoto } from '../support/images.ts'
import { startSystem, temporaryDirectory, type RunningSystem } from '../support/local-system.ts'
import { readEvents } from '../support/outside.ts'
import { runTool } from '../support/run-tool.ts'

const directory = temporaryDirectory()
const dataPath = join(directory.path, 'data')
const photo = join(directory.path, 'photo.jpg')
let running: RunningSystem

before(async () => {
  writeFileSync(photo, await goodPhoto('image/jpeg', { width: 64, height: 48 }))
  running = await startSystem(dataPath)
})
after(async () => {
  await running.end('SIGTERM')
  directory.remove()
})

const expire = (...args: string[]) => runTool('expire', args, { DATA_DIR: dataPath })
const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString()

test('an image goes when its days are over, and is announced as expired', async () => {
  const { code, output } = await runTool('upload', [photo], { DATA_DIR: dataPath })
  assert.equal(code, 0, output)
  for (const early of [[], ['--at', inDays(purposes.scan.keptDays - 1)]]) {
    const { code: earlyCode, lines } = await expire(...early)
    assert.deepEqual([earlyCode, lines], [0, ['expired: 0']])
  }
  const late = await expire('--at', inDays(purposes.scan.keptDays + 1))
  assert.equal(late.code, 0, late.output)
  assert.match(late.output, /^expired: [1-9]\d*\n$/)
  const deleted = await eventually(
    async () => (await readEvents(running.system)).find(({ type }) => type === 'image.deleted'),
    'the image is announced as deleted',
  )
  assert.partialDeepStrictEqual(deleted.data, { purpose: 'scan', cause: 'expired' })
})

test('wrong arguments are answered with the usage and exit code 2', async () => {
  for (const args of [
    ['now'],
    ['--at', 'tomorrow'],
    ['--at', '2030-02-30'],
    ['--at', '2030-01-01T00:00'],
    ['--when', 'x'],
  ]) {
    const { code, output } = await expire(...args)
    assert.equal(code, 2, output)
    assert.match(output, /npm run expire -- \[--at ISO-DATE\]/)
  }
})

test('without a running system one sentence says how to begin one', async () => {
  const { code, lines } = await runTool('expire', [], { DATA_DIR: join(directory.path, 'none') })
  assert.deepEqual([code, lines.length], [1, 1])
  assert.match(lines[0] ?? '', /^no image-intake runs in /)
})
