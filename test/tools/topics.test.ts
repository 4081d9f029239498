import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, test } from 'node:test'

import { sqliteEventLog } from '#shared/adapters/sqlite/event-log.ts'
import { topics } from '#shared/domain/resources.ts'

import { startSystem, temporaryDirectory } from '../support/local-system.ts'
import { runTool } from '../support/run-tool.ts'

const directory = temporaryDirectory()
after(directory.remove)
const nothingToDo = ['nothing to do: all topics are as they should be']

const openFile = (name: string) => {
  const path = join(directory.path, `${name}.sqlite`)
  const run = (...args: string[]) => runTool('topics', args, { EVENT_LOG: `sqlite:${path}` })
  return { path, run }
}

test('the topics are created once, and the second run has nothing to do', async () => {
  const { run } = openFile('created')
  const first = await run()
  assert.equal(first.code, 0, first.output)
  for (const { name } of topics) assert.match(first.output, new RegExp(`Created the topic ${name} `))
  const second = await run()
  assert.deepEqual([second.code, second.lines], [0, nothingToDo])
})

test('a check names exactly what is missing, changes nothing and exits 1', async () => {
  const { path, run } = openFile('checked')
  const log = sqliteEventLog({ path })
  await log.ensureTopics(topics.filter(({ name }) => !name.startsWith('image.rejected')))
  for (const time of ['first', 'second']) {
    const { code, output } = await run('--check')
    assert.equal(code, 1, time)
    assert.match(output, /^The topic image\.rejected does not exist\. `npm run topics` mends that/)
    assert.equal(output.match(/The topic /g)?.length, 1, output)
  }
  await log.close()
})

test('a dry run tells the same and exits 0', async () => {
  const { run } = openFile('dry')
  const { code, output } = await run('--dry-run')
  assert.equal(code, 0)
  for (const { name } of topics) assert.match(output, new RegExp(`The topic ${name} does not exist`))
  assert.equal((await run('--check')).code, 1)
})

test('a check of what is right says so', async () => {
  const { run } = openFile('right')
  await run()
  const { code, lines } = await run('--check')
  assert.deepEqual([code, lines], [0, nothingToDo])
})

test('without an environment the running local system is looked at', async () => {
  const dataPath = join(directory.path, 'data')
  assert.match((await runTool('topics', [], { DATA_DIR: dataPath })).output, /no image-intake runs in /)
  const running = await startSystem(dataPath)
  const { code, lines } = await runTool('topics', ['--check'], { DATA_DIR: dataPath })
  assert.deepEqual([code, lines], [0, nothingToDo])
  await running.end('SIGTERM')
})

test('wrong arguments are answered with the usage and exit code 2', async () => {
  const { run } = openFile('wrong')
  for (const args of [['image.uploaded'], ['--create']]) {
    const { code, output } = await run(...args)
    assert.equal(code, 2, output)
    assert.match(output, /npm run topics \[-- --check/)
  }
})
