import assert from 'node:assert/strict'
import { chmodSync, existsSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { after, test } from 'node:test'

import { listen } from '#shared/runtime/listen.ts'

import { askTicket, beginUpload, tokenOf } from '../support/client.ts'
import { planFile } from '../support/file-mix.ts'
import { startProcess, startSystem, temporaryDirectory } from '../support/local-system.ts'
import { checkOutcome, waitForVerdicts } from '../support/mixed-run.ts'
import { seededRandom } from '../support/random.ts'

const directory = temporaryDirectory()
after(directory.remove)

const failToStart = async (environment: Record<string, string>) => {
  const { ended, output } = startProcess('local/main.ts', [], { PORT: '0', AWS_PORT: '0', ...environment })
  const code = await ended
  const sentences = output()
    .split('\n')
    .filter((line) => line.startsWith('image-intake: '))
  assert.equal(sentences.length, 1, output())
  return { code, sentence: sentences[0] ?? '' }
}

test('everything is as it was after a clean stop and a new start', async () => {
  const dataPath = join(directory.path, 'restart')
  const random = seededRandom(1)
  const first = await startSystem(dataPath)
  const file = { ...(await planFile(random, 0)), pastTheApi: false }
  const upload = await beginUpload(first.system, file)
  await upload.put(first.system)
  const uploaded = new Map([[upload.key, file]])
  await waitForVerdicts(first.system, uploaded, 10_000)
  assert.equal(await first.end('SIGTERM'), 0)
  assert.equal(existsSync(join(dataPath, 'local.json')), false, 'local.json is gone after a clean stop')

  const second = await startSystem(dataPath)
  const headers = { Authorization: `Bearer ${await tokenOf(file.userId)}` }
  const answer = await fetch(`${second.system.api_url}/images/${upload.key}/metadata`, { headers })
  assert.equal(answer.status, 200)
  await checkOutcome(second.system, uploaded, { repeatsAllowed: false })
  await second.end('SIGTERM')
})

test('a ticket issued before a restart is good after it', async () => {
  const dataPath = join(directory.path, 'ticket')
  const first = await startSystem(dataPath)
  const file = await planFile(seededRandom(7), 0)
  const ticket = await askTicket(first.system, { ...file, pastTheApi: false })
  const port = new URL(first.system.aws_url).port
  await first.end('SIGTERM')
  const second = await startSystem(dataPath, { AWS_PORT: port })
  const put = await fetch(ticket.upload_url, { method: 'PUT', headers: ticket.required_headers, body: file.body })
  assert.equal(put.status, 200)
  await second.end('SIGTERM')
})

test('a data directory that another process holds is refused with one sentence and exit code 1', async () => {
  const dataPath = join(directory.path, 'held')
  const holder = await startSystem(dataPath)
  const { code, sentence } = await failToStart({ DATA_DIR: dataPath })
  assert.equal(code, 1)
  assert.match(sentence, /held is in use by another image-intake: .*DATA_DIR/)
  assert.ok(existsSync(join(dataPath, 'local.json')), "the holder's local.json is left alone")
  await holder.end('SIGKILL')
  const next = await startSystem(dataPath)
  await next.end('SIGTERM')
})

test('a data directory that cannot be written is refused with one sentence and exit code 1', async () => {
  const file = join(directory.path, 'a-file')
  writeFileSync(file, '')
  chmodSync(file, 0o400)
  const { code, sentence } = await failToStart({ DATA_DIR: join(file, 'data') })
  assert.equal(code, 1)
  assert.match(sentence, /can't be written: set DATA_DIR/)
})

for (const variable of ['PORT', 'AWS_PORT']) {
  test(`a ${variable} in use is refused with one sentence that names it, and exit code 1`, async () => {
    const server = createServer()
    const { port } = await listen(server, '127.0.0.1', 0, 'TEST')
    const { code, sentence } = await failToStart({ DATA_DIR: join(directory.path, variable), [variable]: String(port) })
    server.close()
    assert.equal(code, 1)
    assert.match(sentence, new RegExp(`port ${port} is taken by another process: set ${variable} `))
  })
}

test('every wrong variable is named at once', async () => {
  const { ended, output } = startProcess('local/main.ts', [], {
    PORT: 'http',
    AWS_PORT: '70000',
    CORS_ORIGINS: 'example.com',
  })
  assert.equal(await ended, 1)
  for (const name of ['PORT', 'AWS_PORT', 'CORS_ORIGINS']) assert.match(output(), new RegExp(`${name}: "`))
})
