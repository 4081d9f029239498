import assert from 'node:assert/strict'
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, suite, test } from 'node:test'

import { z } from 'zod'

import { docker } from '../../tools/support/docker.ts'
import { temporaryDirectory } from '../support/local-system.ts'
import { runTool } from '../support/run-tool.ts'
import { hasEngine, testName as image } from './engine.ts'

const canRun = await hasEngine()

const sources = [
  'Dockerfile',
  '.dockerignore',
  'package.json',
  'package-lock.json',
  'services',
  'shared',
  'tools',
  'local',
  'infra/invalidator',
]

/** What must never be seen outside of the machine where it lies, at the places where it lies. */
const secrets = [
  '.env',
  '.env.production',
  '.data/local.json',
  '.git/config',
  '.npmrc',
  'credentials',
  'server.key',
  'node_modules/left/index.js',
  'services/api/.env',
  'services/api/signing.pem',
  'services/api/node_modules/left/index.js',
  'shared/.data/events.sqlite',
  'shared/domain/events.sqlite-wal',
  'tools/credentials',
  'tools/.aws/credentials',
  'local/cdn/debug.log',
  'local/aws/store.sqlite',
  'infra/cdk.out/image-intake.template.json',
  'infra/settings.json',
  'infra/invalidator/.env',
  'test/secret.ts',
]

suite('the image', { skip: !canRun }, () => {
  const context = temporaryDirectory()
  const secret = 'planted where it must not be taken from'
  before(async () => {
    for (const path of sources) cpSync(path, join(context.path, path), { recursive: true })
    for (const path of secrets) {
      mkdirSync(dirname(join(context.path, path)), { recursive: true })
      writeFileSync(join(context.path, path), secret)
    }
    await docker(['build', '--quiet', '--tag', image, context.path])
  })
  after(async () => {
    await docker(['image', 'rm', '--force', image])
    context.remove()
  })
  const run = (...command: string[]) => docker(['run', '--rm', '--network', 'none', image, ...command])

  test('no secret and no data directory enters the context that the engine is sent', async () => {
    const dockerfile = join(context.path, 'everything.Dockerfile')
    writeFileSync(dockerfile, 'FROM scratch\nCOPY . /\n')
    const out = join(context.path, 'out')
    await docker(['build', '--quiet', '--file', dockerfile, '--output', `type=local,dest=${out}`, context.path])
    const sent = readdirSync(out, { recursive: true, encoding: 'utf8' })
    for (const program of ['services/api/main.ts', 'local/cdn.ts', 'infra/invalidator/main.ts'])
      assert.ok(sent.includes(program), sent.join(' '))
    assert.deepEqual(
      secrets.filter((path) => sent.includes(path)),
      [],
    )
    assert.deepEqual(
      sent.filter((path) => path.split('/').some((part) => part.startsWith('.'))),
      [],
    )
  })

  test('no planted file is in the image', async () => {
    const found = await run('sh', '-c', `grep -rlF '${secret}' /app || true`)
    assert.equal(found, '')
  })

  test('it holds production dependencies alone, and says which', async () => {
    const bomSchema = z.object({
      bomFormat: z.literal('CycloneDX'),
      components: z.array(z.object({ purl: z.string() })),
    })
    const { components } = bomSchema.parse(JSON.parse(await run('cat', 'sbom.cdx.json')))
    const names = components.map(({ purl }) => /^pkg:npm\/(.+)@/.exec(decodeURIComponent(purl))?.[1] ?? purl)
    const manifestSchema = z.object({ dependencies: z.record(z.string(), z.string()) })
    const { dependencies } = manifestSchema.parse(JSON.parse(await run('cat', 'package.json')))
    for (const name of Object.keys(dependencies)) assert.ok(names.includes(name), name)
    const installed = (await run('sh', '-c', 'ls node_modules')).split('\n')
    for (const name of ['typescript', 'eslint', 'testcontainers', 'node', 'sharp']) {
      assert.ok(!installed.includes(name), name)
      assert.ok(!names.includes(name), name)
    }
  })

  test('it holds every process that is run in it', async () => {
    const services = ['services/api', 'services/upload-watcher', 'services/scan-dispatcher', 'infra/invalidator']
    const programs = [...services.map((folder) => `${folder}/main.ts`), 'local/cdn.ts', 'tools/provision.ts']
    for (const program of programs) {
      // Whatever is imported is there when it gets so far as to miss its settings.
      await assert.rejects(run('node', program), /AWS_REGION is not set/, program)
    }
    for (const tool of ['topics', 'reconcile', 'redrive', 'events', 'trace', 'doctor'])
      assert.match(await run('node', `tools/${tool}.ts`, '--help'), new RegExp(`^npm run ${tool}`), tool)
  })

  test('the build tells its size, how soon it answers and what it holds', async () => {
    const list = join(context.path, 'list.json')
    const { code, output } = await runTool('build-image', ['--tag', `${image}-built`, '--sbom', list], {})
    await docker(['image', 'rm', '--force', `${image}-built`])
    assert.equal(code, 0, output)
    assert.match(output, /^size +[1-9]\d+ MB$/m)
    assert.match(output, /^start +[1-9]\d+ to [1-9]\d+ ms until the API answers$/m)
    const { components } = z.object({ components: z.array(z.unknown()) }).parse(JSON.parse(readFileSync(list, 'utf8')))
    assert.match(output, new RegExp(`^packages +${components.length} `, 'm'))
  })

  test('it runs without root, as the command says and in exec form', async () => {
    assert.equal((await run('id', '-u')).trim(), '1000')
    const { Config } = z
      .object({
        Config: z.object({
          User: z.string(),
          Cmd: z.array(z.string()),
          Healthcheck: z.object({ Test: z.array(z.string()) }),
        }),
      })
      .parse(z.array(z.unknown()).parse(JSON.parse(await docker(['image', 'inspect', image])))[0])
    assert.deepEqual([Config.User, Config.Cmd], ['1000:1000', ['node', 'services/api/main.ts']])
    assert.deepEqual(Config.Healthcheck.Test.slice(0, 2), ['CMD', 'node'])
    assert.equal((await run('find', '/app', '-writable', '!', '-type', 'l')).trim(), '')
  })
})
