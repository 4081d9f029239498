import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { readConfig } from '#shared/runtime/config.ts'
import { findFamily } from '../../../services/upload-watcher/event-families.ts'
import { originOf, uploadWatcherVariables } from '../../../services/upload-watcher/main.ts'
import { settleMessage } from '../../../services/upload-watcher/message.ts'
import type { Origin } from '../../../services/upload-watcher/origin.ts'
import { bucket, keyOf, notificationOf, r2Message, s3Event, s3Record } from './notifications.ts'
import { messageDeps, openWorld, takeMessage } from './world.ts'

const { signal } = new AbortController()
const key = keyOf('scan', 1)
const account = '123456789012'

/** The outcomes of a message, and why what it holds was put aside. */
const settle = async (body: unknown, origin: Origin) => {
  const world = openWorld()
  const { deps, told } = messageDeps(world)
  const message = await takeMessage(world, typeof body === 'string' ? body : JSON.stringify(body))
  await settleMessage({ ...deps, origin }, message, signal)
  return { outcomes: told.outcomes, reasons: world.quarantine.messages.map(({ attributes }) => attributes['reason']) }
}
const here: Origin = { region: 'eu-central-1', account }

const environment = {
  AWS_REGION: 'eu-central-1',
  S3_BUCKET: bucket,
  STATE_BUCKET: 'my-state',
  CDN_BASE_URL: 'https://cdn.example.com',
  UPLOADS_QUEUE_URL: 'http://127.0.0.1:1/uploads',
  QUARANTINE_QUEUE_URL: 'http://127.0.0.1:1/quarantine',
}
const readOrigin = (changes: object) => originOf(readConfig(uploadWatcherVariables, { ...environment, ...changes }))

suite('the origin of a notification', () => {
  for (const [what, body, reason] of [
    [
      'another region',
      notificationOf(s3Record(key, { awsRegion: 'us-east-1' })),
      'the region us-east-1 is not ours, eu-central-1',
    ],
    ['another region by EventBridge', s3Event(key, { region: 'x' }), 'the region x is not ours, eu-central-1'],
    [
      'another account',
      s3Event(key, { account: '000000000001' }),
      `the bucket's account 000000000001 is not ours, ${account}`,
    ],
  ] as const) {
    test(`that is ${what} has it quarantined with the reason`, async () => {
      assert.deepEqual(await settle(body, here), { outcomes: ['quarantined foreign'], reasons: [reason] })
    })

    test(`that is ${what} is passed where it is not known what is ours`, async () => {
      assert.deepEqual(await settle(body, {}), { outcomes: ['gone'], reasons: [] })
    })
  }

  for (const [what, body] of [
    ['ours', s3Event(key)],
    ['told without an account', notificationOf(s3Record(key))],
    ['told without a region', notificationOf(s3Record(key, { awsRegion: '' }))],
    ['told with neither', s3Event(key, { region: undefined, account: null })],
  ] as const) {
    test(`that is ${what} is passed`, async () => {
      assert.deepEqual(await settle(body, here), { outcomes: ['gone'], reasons: [] })
    })
  }

  test('of R2 is an account too, and not ours on AWS', async () => {
    assert.deepEqual((await settle(r2Message(key), here)).outcomes, ['quarantined foreign'])
    assert.deepEqual((await settle(r2Message(key), { region: 'auto' })).outcomes, ['gone'])
  })

  test('is a region on AWS alone, and an account only when it is told', () => {
    assert.deepEqual(readOrigin({}), { region: 'eu-central-1' })
    assert.deepEqual(readOrigin({ AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:9000' }), {})
    assert.deepEqual(readOrigin({ BUCKET_ACCOUNT: account }), here)
    for (const wrong of ['12345678901', '1234567890123', '12345678901a', ' 123456789012']) {
      assert.throws(() => readOrigin({ BUCKET_ACCOUNT: wrong }), /BUCKET_ACCOUNT: .* is not an account of 12 digits/)
    }
  })
})

suite('an event of another kind', () => {
  for (const [eventName, family] of [
    ['ObjectTagging:Put', 'tagging'],
    ['ObjectCreated:PutTagging', 'tagging'],
    ['ObjectAcl:Put', 'acl'],
    ['ObjectRestore:Completed', 'restore'],
    ['Object Restore Expired', 'restore'],
    ['Replication:OperationMissedThreshold', 'replication'],
    ['LifecycleTransition', 'transition'],
    ['ReducedRedundancyLostObject', 'lost'],
    ['ObjectAccessed:Get', 'access'],
    ['ObjectCreated:PutRetention', 'other'],
    ['AWS API Call via CloudTrail', 'other'],
    ['ObjectTaggingX:Put', 'other'],
    ['__proto__', 'other'],
    [':', 'other'],
    ['', 'other'],
  ] as const) {
    test(`${JSON.stringify(eventName)} is counted as ${family}`, () => {
      assert.equal(findFamily(eventName), family)
    })
  }

  test('is ignored and counted by its family, wherever it is from', async () => {
    const records = ['s3:ObjectTagging:Delete', 'Anything:At:All'].map((eventName) =>
      s3Record(key, { eventName, bucket: 'others', awsRegion: 'us-east-1' }),
    )
    const { outcomes } = await settle(notificationOf(...records), here)
    assert.deepEqual(outcomes, ['ignored tagging', 'ignored other'])
  })
})
