import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { locks } from '../../tools/support/locks.ts'
import { signToken } from '../../tools/support/sign-token.ts'
import { startSystem, temporaryDirectory, type RunningSystem } from '../support/local-system.ts'
import { readEvents } from '../support/outside.ts'
import { runTool } from '../support/run-tool.ts'

const directory = temporaryDirectory()
const dataPath = join(directory.path, 'data')
let running: RunningSystem

before(async () => {
  running = await startSystem(dataPath)
})
after(async () => {
  await running.end('SIGTERM')
  directory.remove()
})

const doctor = (args: readonly string[], environment: Record<string, string> = {}) =>
  runTool('doctor', ['--skip-expiry', ...args], { DATA_DIR: dataPath, ...environment })

test('every lock of a local system holds, its notification is seen in the event log, and no job is made', async () => {
  const { code, lines, output } = await doctor([])
  assert.equal(code, 0, output)
  assert.equal(lines.at(-1), `all ${locks.length - 1} locks hold`)
  assert.match(output, /^notification +holds +image.uploaded in the event log, event [0-9a-f]{32}$/m)
  assert.match(output, /^expired ticket +not tried/m)
  const types = new Set((await readEvents(running.system)).map(({ type }) => type))
  assert.ok(!types.has('scan.dispatched'))
})

test('with an API and a token alone, the verdict that the API tells proves the notification', async () => {
  const { code, output } = await doctor(['--api', running.system.api_url, '--token', await signToken('user-1')])
  assert.equal(code, 0, output)
  assert.match(output, /^notification +holds +status accepted by the API/m)
})

test('an API that cannot be asked, or that refuses the token, is told in one sentence', async () => {
  // fetch itself refuses ports such as 1; 61999 is beyond those that are given out.
  const nowhere = await doctor(['--api', 'http://127.0.0.1:61999', '--token', 'x'])
  assert.deepEqual([nowhere.code, nowhere.lines.length], [1, 1], nowhere.output)
  assert.match(nowhere.output, /^no answer from http:\/\/127.0.0.1:61999: connect ECONNREFUSED/)
  const refused = await doctor(['--api', running.system.api_url, '--token', 'x'])
  assert.deepEqual([refused.code, refused.lines.length], [1, 1], refused.output)
  assert.match(refused.output, /^the API gave no ticket: 401 token_invalid: /)
})

test('wrong arguments are answered with the usage and exit code 2', async () => {
  const api = ['--api', 'http://127.0.0.1:1']
  const wrong = [['now'], api, ['--token', 'x'], ['--api', 'nowhere', '--token', 'x']]
  for (const args of [...wrong, ['--compose', ...api, '--token', 'x']]) {
    const { code, output } = await doctor(args)
    assert.equal(code, 2, output)
    assert.match(output, /npm run doctor -- /)
  }
})

test('the page of the locks names each, with what its breach allows', () => {
  const page = readFileSync('docs/doctor.md', 'utf8')
  for (const { name, breach } of locks) assert.ok(page.includes(`| ${name} `) && page.includes(breach), name)
})
