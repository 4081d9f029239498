import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import sharp from 'sharp'

import { startFaultyProxy, type FaultyProxy } from '../browser/faulty-proxy.ts'
import { pdfBytes } from '../support/images.ts'
import { startSystem, temporaryDirectory, type RunningSystem } from '../support/local-system.ts'

const hasCurl = spawnSync('curl', ['--version']).error === undefined
const skip = hasCurl ? false : 'curl is not installed'
const directory = temporaryDirectory()
let running: RunningSystem
let proxy: FaultyProxy

before(async () => {
  if (skip) return
  running = await startSystem(join(directory.path, 'data'))
  proxy = await startFaultyProxy()
})
after(async () => {
  if (!skip) {
    await running.end('SIGTERM')
    proxy.close()
  }
  directory.remove()
})

const script = () => {
  const [, block] = /## curl\n[^]*?```sh\n([^]*?)```/.exec(readFileSync('docs/clients.md', 'utf8')) ?? []
  assert.ok(block, 'docs/clients.md has a script under "curl"')
  return block
}

/** Runs the script of the page as it stands there; the proxy sees what curl sends. */
const runScript = (name: string, bytes: Buffer, type: string): Promise<string> => {
  const file = join(directory.path, name)
  writeFileSync(file, bytes)
  const env = {
    PATH: process.env['PATH'],
    HOME: directory.path,
    http_proxy: proxy.url,
    API: running.system.api_url,
    FILE: file,
    TYPE: type,
  }
  return new Promise((resolve) => {
    execFile('sh', ['-c', script()], { env }, (_, stdout, stderr) => resolve(stdout + stderr))
  })
}

/** A JPEG of more than a megabyte: of such a file's length curl asks S3 first, unless it is told not to. */
const largePhoto = () => {
  const noise = { width: 1200, height: 1200, channels: 3 as const }
  return sharp(randomBytes(noise.width * noise.height * 3), { raw: noise })
    .jpeg({ quality: 90 })
    .toBuffer()
}

test('the curl script of docs/clients.md uploads a photo by exactly the headers of its ticket', { skip }, async () => {
  const bytes = await largePhoto()
  assert.ok(bytes.length > 1_048_576)
  const output = await runScript('a photo.jpg', bytes, 'image/jpeg')
  assert.match(output, /"status":"accepted"/)
  const { headers = {}, status } = proxy.passed.find(({ method }) => method === 'PUT') ?? {}
  assert.equal(status, 200)
  assert.equal(headers['content-length'], String(bytes.length))
  assert.equal(headers['content-type'], 'image/jpeg')
  assert.equal(headers['if-none-match'], '*')
  for (const absent of ['expect', 'transfer-encoding', 'authorization']) assert.equal(headers[absent], undefined)
})

test('the curl script tells the refusal of a liar', { skip }, async () => {
  assert.match(await runScript('invoice.png', pdfBytes(1), 'image/png'), /"status":"rejected","reason":"not_an_image"/)
})

test('the curl script tells why HEIC gets no ticket', { skip }, async () => {
  assert.match(await runScript('photo.heic', Buffer.from('any bytes'), 'image/heic'), /convert the photo to JPEG/)
})
