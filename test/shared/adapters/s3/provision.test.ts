import assert from 'node:assert/strict'
import { suite, test, type TestContext } from 'node:test'

import { provisionBuckets } from '#shared/adapters/s3/provision.ts'
import type { BucketSpec } from '#shared/domain/resources.ts'
import { OutageError, RefusalError } from '#shared/ports/failures.ts'

import { openScriptedS3, s3Error, type ScriptedAnswer } from './scripted-s3.ts'

const bare: BucketSpec = { name: 'images', cors: [], lifecycle: [], notifications: [] }
const notification = { id: 'scans', queue: 'uploads', prefix: 'scans/', events: ['s3:ObjectCreated:*'] }
const notified: BucketSpec = { ...bare, notifications: [notification] }
const done: ScriptedAnswer = { status: 200 }
const xml = (body: string): ScriptedAnswer => ({ status: 200, headers: { 'content-type': 'application/xml' }, body })

/** A bucket without settings, but for what `answers` says of the calls that it names by method and subresource. */
const openStore = async (
  context: TestContext,
  answers: Readonly<Record<string, ScriptedAnswer | ((count: number) => ScriptedAnswer)>>,
) => {
  const counts = new Map<string, number>()
  const answer = ({ method, url }: { method: string; url: URL }) => {
    const call = `${method} ${[...url.searchParams.keys()].find((name) => !name.startsWith('x-')) ?? 'bucket'}`
    const count = (counts.get(call) ?? 0) + 1
    counts.set(call, count)
    const scripted = answers[call]
    if (scripted) return typeof scripted === 'function' ? scripted(count) : scripted
    if (call === 'GET cors') return s3Error(404, 'NoSuchCORSConfiguration')
    if (call === 'GET lifecycle') return s3Error(404, 'NoSuchLifecycleConfiguration')
    return call === 'GET notification' ? xml('<NotificationConfiguration/>') : done
  }
  const { client, bodies } = await openScriptedS3(context, answer)
  const run = (spec: BucketSpec) =>
    provisionBuckets(
      { client, region: 'eu-central-1', queueArn: (name) => `arn:aws:sqs:eu-central-1:1:${name}`, dryRun: false },
      [spec],
    )
  return { run, counts, bodies }
}

suite('provision on other stores', () => {
  test('a store without a setting that nothing wants is left as it is', async (context) => {
    const missing = s3Error(501, 'NotImplemented')
    const { run } = await openStore(context, {
      'GET cors': missing,
      'GET lifecycle': missing,
      'GET notification': missing,
    })
    assert.deepEqual(await run(bare), [])
  })

  test('a store that refuses a setting which is wanted says so', async (context) => {
    const { run } = await openStore(context, { 'PUT notification': s3Error(400, 'MalformedXML') })
    await assert.rejects(
      run(notified),
      (error) => error instanceof RefusalError && /images.*MalformedXML/.test(error.message),
    )
  })

  test('what a store cannot be set to hinders nothing else, and is told at the end with what was done', async (context) => {
    const cors = { origins: ['*'], methods: ['PUT'], headers: ['*'], exposed: ['ETag'], maxAgeSeconds: 60 } as const
    const lifecycle = [{ id: 'scans', prefix: 'scans/', expireDays: 30 }]
    const { run, counts } = await openStore(context, {
      'HEAD bucket': { status: 404 },
      'PUT cors': s3Error(501, 'NotImplemented'),
      'PUT notification': s3Error(400, 'InvalidArgument'),
    })
    await assert.rejects(run({ ...notified, cors: [cors], lifecycle }), (error) => {
      assert.ok(error instanceof RefusalError)
      const [created, set, ...refused] = error.message.split('\n')
      assert.deepEqual([created, set], ['bucket images: created', 'bucket images: set lifecycle'])
      assert.match(
        refused.join(';'),
        /^S3: setting CORS of images: this store cannot .HTTP 501.;S3: setting notifications of images: .*InvalidArgument/,
      )
      return true
    })
    assert.equal(counts.get('PUT lifecycle'), 1)
  })

  test('a store that is away in the middle is an outage, not a refusal', async (context) => {
    const { run } = await openStore(context, { 'PUT notification': s3Error(503, 'SlowDown') })
    await assert.rejects(run(notified), OutageError)
  })

  test('a bucket that somebody made a moment ago is taken as made', async (context) => {
    const { run } = await openStore(context, {
      'HEAD bucket': { status: 404 },
      'PUT bucket': s3Error(409, 'BucketAlreadyOwnedByYou'),
    })
    assert.deepEqual(await run(bare), ['bucket images: created'])
  })

  test('a bucket of somebody else is not', async (context) => {
    const { run } = await openStore(context, {
      'HEAD bucket': { status: 404 },
      'PUT bucket': s3Error(409, 'BucketAlreadyExists'),
    })
    await assert.rejects(run(bare), RefusalError)
  })

  test("a queue's policy that S3 does not know yet is waited for", async (context) => {
    const early = s3Error(400, 'InvalidArgument')
    const body = early.body?.replace('so it was', 'Unable to validate the following destination configurations')
    const { run, counts } = await openStore(context, {
      'PUT notification': (count) => (count === 1 ? { ...early, ...(body && { body }) } : done),
    })
    assert.deepEqual(await run(notified), ['bucket images: set notifications'])
    assert.equal(counts.get('PUT notification'), 2)
  })

  test('notifications to topics, functions and EventBridge are kept', async (context) => {
    const topic = '<TopicConfiguration><Id>t</Id><Topic>arn:aws:sns:eu-central-1:1:t</Topic></TopicConfiguration>'
    const lambda =
      '<CloudFunctionConfiguration><Id>f</Id><CloudFunction>arn:aws:lambda:eu-central-1:1:function:f</CloudFunction></CloudFunctionConfiguration>'
    const others = `${topic}${lambda}<EventBridgeConfiguration/>`
    const { run, bodies } = await openStore(context, {
      'GET notification': xml(`<NotificationConfiguration>${others}</NotificationConfiguration>`),
    })
    await run(notified)
    const sent = bodies.at(-1) ?? ''
    for (const kept of ['arn:aws:sns:', 'arn:aws:lambda:', '<EventBridgeConfiguration', 'arn:aws:sqs:'])
      assert.ok(sent.includes(kept), sent)
  })
})
