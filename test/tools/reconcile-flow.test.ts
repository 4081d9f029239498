import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { PutBucketNotificationConfigurationCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'

import { makeKey } from '#shared/domain/keys.ts'
import type { Purpose } from '#shared/domain/purposes.ts'

import { openS3Of } from '../support/client.ts'
import { eventually } from '../support/eventually.ts'
import { newId } from '../support/file-mix.ts'
import { goodPhoto, pdfBytes } from '../support/images.ts'
import { startSystem, temporaryDirectory, type RunningSystem } from '../support/local-system.ts'
import { countMessages, expectedEventIds, readEvents } from '../support/outside.ts'
import { runTool } from '../support/run-tool.ts'

const directory = temporaryDirectory()
const dataPath = join(directory.path, 'data')
let running: RunningSystem
let s3: S3Client
let photo: Buffer

before(async () => {
  photo = await goodPhoto('image/jpeg', { width: 64, height: 48 })
  running = await startSystem(dataPath)
  s3 = openS3Of(running.system)
  // S3 tells nobody of what is put from here on, as in a bucket that was there before.
  const Bucket = running.system.bucket
  await s3.send(new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration: {} }))
})
after(async () => {
  s3.destroy()
  await running.end('SIGTERM')
  directory.remove()
})

const reconcile = (...args: string[]) => runTool('reconcile', args, { DATA_DIR: dataPath })
const reconcileAll = (...args: string[]) => reconcile('--min-age-minutes', '0', ...args)

const put = async (key: string, body: Buffer = photo) => {
  const object = { Bucket: running.system.bucket, Key: key, Body: body, ContentType: 'image/jpeg' }
  await s3.send(new PutObjectCommand(object))
  return key
}
const newKey = (purpose: Purpose) => {
  const made = makeKey({ purpose, userId: 'user/1', id: newId(), now: new Date() })
  assert.ok(made.ok)
  return made.facts.key
}
const countOf = (output: string, what: RegExp) =>
  Number(new RegExp(String.raw`^ *(\d+)  ${what.source}`, 'm').exec(output)?.[1])

/** The ids that each key's verdict was announced under. */
const verdictIds = async (...keys: string[]) => {
  const events = (await readEvents(running.system)).filter(({ type }) => /^image\.(uploaded|rejected)$/.test(type))
  return events.filter(({ subject }) => keys.includes(subject)).map(({ id }) => id)
}
const allJudged = (...keys: string[]) =>
  eventually(async () => {
    const { output } = await reconcileAll('--dry-run')
    return countOf(output, /would be sent/) === 0
  }, `verdicts on ${keys.length} objects`)

test('what S3 never told of is found, by purpose and by date, and a dry run sends nothing', async () => {
  const [scan, profile, chat] = [newKey('scan'), newKey('profile'), newKey('chat')]
  for (const key of [scan, profile, chat]) await put(key)

  const young = await reconcile()
  assert.deepEqual([young.code, countOf(young.output, /too young/), countOf(young.output, /sent/)], [0, 3, 0])
  const dry = await reconcileAll('--dry-run')
  assert.deepEqual([dry.code, countOf(dry.output, /would be sent/)], [0, 3], dry.output)
  assert.equal(await countMessages(running.system, running.system.uploads_queue_url), 0)
  assert.deepEqual(await verdictIds(scan, profile, chat), [])

  const tomorrow = new Date(Date.now() + 86_400_000).toISOString()
  const late = await reconcileAll('--since', tomorrow)
  assert.deepEqual([countOf(late.output, /stored before/), countOf(late.output, /sent/)], [3, 0])
  const one = await reconcileAll('--purpose', 'profile', '--since', new Date(Date.now() - 3_600_000).toISOString())
  assert.equal(one.code, 0, one.output)
  assert.match(one.output, /^1 objects seen in /)
  assert.equal(countOf(one.output, /sent/), 1)
  await eventually(async () => (await verdictIds(profile)).length === 1, 'the verdict on the profile')
  assert.deepEqual(await verdictIds(scan, chat), [])

  const rest = await eventually(async () => {
    const { output } = await reconcileAll('--dry-run')
    return countOf(output, /with verdict/) === 1 ? output : undefined
  }, 'the verdict to be stored')
  assert.equal(countOf(rest, /would be sent/), 2)
  await reconcileAll()
  await allJudged(scan, chat)
})

test('two runs at once over a bucket that was there before give each object its own id and no other', async () => {
  const body = (index: number) => (index % 5 === 0 ? pdfBytes(index) : photo)
  const puts = Array.from({ length: 40 }, (_, index) => put(newKey(index % 2 ? 'scan' : 'chat'), body(index)))
  const keys = await Promise.all(puts)

  const runs = await Promise.all([reconcileAll(), reconcileAll()])
  for (const { code, output } of runs) assert.equal(code, 0, output)
  await allJudged(...keys)
  const events = await readEvents(running.system)
  const types = new Map(
    events.filter(({ type }) => /uploaded|rejected/.test(type)).map(({ subject, type }) => [subject, type]),
  )
  const expected = await expectedEventIds(running.system, (key) => types.get(key) ?? 'no event')
  assert.deepEqual(new Set(await verdictIds(...keys)), new Set(keys.map((key) => expected.get(key))))
  assert.equal(keys.filter((key) => types.get(key) === 'image.rejected').length, 8)

  const before = (await verdictIds(...keys)).length
  const again = await reconcileAll()
  assert.deepEqual([again.code, countOf(again.output, /sent/)], [0, 0], again.output)
  assert.equal((await verdictIds(...keys)).length, before)
})

test('an object that was put again is looked at again', async () => {
  const key = await put(newKey('profile'))
  await reconcileAll()
  await allJudged(key)
  await put(key, pdfBytes(1))
  assert.equal(countOf((await reconcileAll()).output, /sent/), 1)
  await allJudged(key)
  assert.equal(new Set(await verdictIds(key)).size, 2)
})

test('the environment names the place without a running system', async () => {
  await put('logo.png')
  const { system } = running
  const { code, output } = await runTool('reconcile', ['--dry-run'], {
    AWS_REGION: system.region,
    AWS_ENDPOINT_URL_S3: system.aws_url,
    AWS_ENDPOINT_URL_SQS: system.aws_url,
    S3_FORCE_PATH_STYLE: 'true',
    AWS_ACCESS_KEY_ID: system.access_key_id,
    AWS_SECRET_ACCESS_KEY: system.secret_access_key,
    S3_BUCKET: system.bucket,
    STATE_BUCKET: system.state_bucket,
    UPLOADS_QUEUE_URL: system.uploads_queue_url,
  })
  assert.equal(code, 0, output)
  assert.equal(countOf(output, /foreign/), 1)
})

test('wrong arguments are answered with the usage and exit code 2', async () => {
  for (const args of [
    ['scan'],
    ['--purpose', 'scans'],
    ['--since', 'yesterday'],
    ['--min-age-minutes', '-1'],
    ['-x'],
  ]) {
    const { code, output } = await reconcile(...args)
    assert.equal(code, 2, output)
    assert.match(output, /^npm run reconcile -- \[--since DATE\] /m)
  }
})

test('without a running system, or with half an environment, a sentence says what is needed', async () => {
  const nowhere = join(directory.path, 'none')
  const none = await runTool('reconcile', [], { DATA_DIR: nowhere })
  assert.deepEqual([none.code, none.lines.length], [1, 1])
  assert.match(none.output, /^no image-intake runs in /)
  const half = await runTool('reconcile', [], { DATA_DIR: nowhere, S3_BUCKET: 'images' })
  assert.equal(half.code, 1)
  assert.match(half.output, /^AWS_REGION is not set .*\nSTATE_BUCKET is not set .*\nUPLOADS_QUEUE_URL is not set /)
})
