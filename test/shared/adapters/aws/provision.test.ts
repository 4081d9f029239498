import assert from 'node:assert/strict'
import { suite, test, type TestContext } from 'node:test'

import {
  GetBucketLifecycleConfigurationCommand,
  PutBucketCorsCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketNotificationConfigurationCommand,
} from '@aws-sdk/client-s3'
import { DeleteQueueCommand, SetQueueAttributesCommand } from '@aws-sdk/client-sqs'

import { planProvision, provision } from '#shared/adapters/provision.ts'
import { s3ObjectStore } from '#shared/adapters/s3/object-store.ts'
import { sqsMessageQueue } from '#shared/adapters/sqs/message-queue.ts'
import { planResources, queueNames } from '#shared/domain/resources.ts'
import { OutageError, SetupError } from '#shared/ports/failures.ts'
import { closedAddress, openClients, openLocal, region } from './local.ts'

const names = { bucket: 'my-images', stateBucket: 'my-images-state' }
const resources = planResources(names, ['https://app.example.com'])

const open = async (context: TestContext) => {
  const { dispose, ...aws } = await openLocal()
  context.after(dispose)
  const apply = (wanted = resources) => provision({ ...aws, region }, wanted)
  const plan = (wanted = resources) => planProvision({ ...aws, region }, wanted)
  return { ...aws, apply, plan }
}

const asDone = (change: string) => change.replace('would be created', 'created').replace('would set', 'set')

suite('provision', () => {
  test('makes everything of the resources table, and says so', async (context) => {
    const { apply } = await open(context)
    const { changes, queueUrl } = await apply()
    for (const name of Object.values(queueNames)) {
      assert.ok(changes.includes(`queue ${name}: created`))
      assert.match(queueUrl(name), new RegExp(`/${name}$`))
    }
    for (const bucket of Object.values(names)) assert.ok(changes.includes(`bucket ${bucket}: created`))
    assert.ok(changes.includes('bucket my-images: set CORS'))
    assert.ok(changes.includes('bucket my-images: set notifications'))
    assert.throws(() => queueUrl('no-such-queue'), SetupError)
  })

  test('a second run changes nothing', async (context) => {
    const { apply } = await open(context)
    const first = await apply()
    const second = await apply()
    assert.deepEqual(second.changes, [])
    assert.equal(second.queueUrl(queueNames.jobs), first.queueUrl(queueNames.jobs))
  })

  test('what it made brings notifications of images to the queue, and of nothing else', async (context) => {
    const { apply, s3, sqs } = await open(context)
    const { queueUrl } = await apply()
    const uploads = sqsMessageQueue({ client: sqs, queueUrl: queueUrl(queueNames.uploads) })
    const receive = async () => {
      const signal = new AbortController().signal
      const messages = await uploads.receive({ max: 10, waitSeconds: 5, visibilitySeconds: 30, signal })
      await Promise.all(messages.map(uploads.acknowledge))
      return messages.map(({ body }) => body)
    }
    const tests = await receive()
    assert.ok(tests.length > 0 && tests.every((body) => body.includes('s3:TestEvent')))
    const images = s3ObjectStore({ client: s3, bucket: names.bucket })
    const states = s3ObjectStore({ client: s3, bucket: names.stateBucket })
    await images.put({ key: 'elsewhere/a', body: 'x', contentType: 'image/png' })
    await states.put({ key: 'verdicts/scans/a', body: '{}', contentType: 'application/json' })
    await images.put({ key: 'scans/20250101/user-1/a', body: 'x', contentType: 'image/png' })
    const [body, ...others] = await receive()
    assert.match(body ?? '', /ObjectCreated:Put.*scans\/20250101\/user-1\/a/)
    assert.deepEqual(others, [])
  })

  test('repairs a setting that was changed by hand, and only that', async (context) => {
    const { apply, s3, sqs } = await open(context)
    const { queueUrl } = await apply()
    const QueueUrl = queueUrl(queueNames.uploads)
    await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { VisibilityTimeout: '7' } }))
    assert.deepEqual((await apply()).changes, ['queue image-uploads: set VisibilityTimeout'])

    const Bucket = names.bucket
    await s3.send(
      new PutBucketCorsCommand({
        Bucket,
        CORSConfiguration: { CORSRules: [{ AllowedMethods: ['GET'], AllowedOrigins: ['*'] }] },
      }),
    )
    await s3.send(new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration: {} }))
    assert.deepEqual((await apply()).changes, ['bucket my-images: set CORS', 'bucket my-images: set notifications'])
    assert.deepEqual((await apply()).changes, [])
  })

  test('switches on again a lifecycle rule that somebody switched off', async (context) => {
    const { apply, s3 } = await open(context)
    await apply()
    const Bucket = names.bucket
    const { Rules = [] } = await s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket }))
    const off = Rules.map((rule) => ({ ...rule, Status: 'Disabled' as const }))
    await s3.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules: off } }))
    assert.deepEqual((await apply()).changes, ['bucket my-images: set lifecycle'])
  })

  test('follows the table: other origins, no origins', async (context) => {
    const { apply } = await open(context)
    await apply()
    const changes = async (origins: readonly string[]) => (await apply(planResources(names, origins))).changes
    assert.deepEqual(await changes(['https://other.example.com']), ['bucket my-images: set CORS'])
    assert.deepEqual(await changes([]), ['bucket my-images: set CORS'])
    assert.deepEqual(await changes([]), [])
  })

  test('a dry run names all that a run then does, and does nothing of it', async (context) => {
    const { apply, plan } = await open(context)
    const planned = await plan()
    assert.deepEqual(await plan(), planned)
    const { changes } = await apply()
    assert.deepEqual(
      planned.filter((change) => !change.startsWith('queue ')).map(asDone),
      changes.filter((change) => !change.startsWith('queue ')),
    )
    // Of a queue that is not there nobody knows which attributes it will have by itself.
    const created = changes.filter((change) => change.endsWith(': created'))
    assert.deepEqual(
      planned.map(asDone).filter((change) => change.endsWith(': created')),
      created,
    )
    assert.deepEqual(await plan(), [])
  })

  test('a dry run on what is there in part names what is wrong', async (context) => {
    const { apply, plan, sqs } = await open(context)
    const { queueUrl } = await apply()
    await sqs.send(new DeleteQueueCommand({ QueueUrl: queueUrl(queueNames.uploads) }))
    const attributes = 'MessageRetentionPeriod, VisibilityTimeout, RedrivePolicy, Policy'
    assert.deepEqual(await plan(planResources(names, [])), [
      'queue image-uploads: would be created',
      `queue image-uploads: would set ${attributes}`,
      'bucket my-images: would set CORS',
      'bucket my-images: would set notifications',
    ])
  })

  test('is an outage while nothing answers', async (context) => {
    const { close, ...clients } = openClients(await closedAddress())
    context.after(close)
    await assert.rejects(provision({ ...clients, region }, resources), OutageError)
  })
})
