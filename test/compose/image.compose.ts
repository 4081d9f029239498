import assert from 'node:assert/strict'
import { cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, suite, test } from 'node:test'

import { z } from 'zod'

import { docker } from '../../tools/support/docker.ts'
import { temporaryDirectory } from '../support/local-system.ts'
import { hasEngine } from './engine.ts'

const canRun = await hasEngine()
const image = `image-intake-test-${process.pid}`

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
