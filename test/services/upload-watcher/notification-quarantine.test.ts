import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { OutageError, RefusalError } from '#shared/ports/failures.ts'
import { settleMessage } from '../../../services/upload-watcher/message.ts'
import { goodPhoto } from '../../support/images.ts'
import { readAll } from './notification-reading.ts'
import { inSns, keyOf, notificationOf, r2Message, s3Event, s3Record, testEvent } from './notifications.ts'
import { eventsOf, messageDeps, openWorld, place, takeMessage, type World } from './world.ts'

const never = new AbortController().signal
const photo = await goodPhoto('image/png')
const key = keyOf('scan', 1)
/** Not the one that the watcher is set up for, at first. */
const bucket = 'others'
const minio = { EventName: 's3:ObjectCreated:Put', Key: `${bucket}/${key}` }

const settle = async (world: World, body: string, ours = place.bucket) => {
  const { deps, told } = messageDeps(world)
  await settleMessage({ ...deps, place: { ...place, bucket: ours } }, await takeMessage(world, body), never)
  return told.outcomes
}

const forms: Record<string, string> = {
  'a notification of S3': notificationOf(s3Record(key, { bucket })),
  'an SNS envelope': inSns(notificationOf(s3Record(key, { bucket }))),
  'two SNS envelopes': inSns(inSns(notificationOf(s3Record(key, { bucket })))),
  'a notification of MinIO': JSON.stringify({ ...minio, Records: [s3Record(key, { bucket })] }),
  'an event of EventBridge': JSON.stringify(s3Event(key, { detail: { bucket: { name: bucket } } })),
  'an event of EventBridge in an SNS envelope': inSns(
    JSON.stringify(s3Event(key, { detail: { bucket: { name: bucket } } })),
  ),
  'a message of R2': JSON.stringify(r2Message(key, { bucket })),
}

suite('what is quarantined', () => {
  for (const [what, body] of Object.entries(forms)) {
    test(`out of ${what} is the record alone, and is settled when it is sent again and is ours`, async () => {
      const world = openWorld()
      world.images.upload({ key, bytes: photo, contentType: 'image/png' })
      assert.deepEqual(await settle(world, body), ['quarantined foreign'])
      const kept = world.quarantine.messages[0]?.body ?? ''
      assert.ok(kept.length <= body.length)
      assert.deepEqual(readAll(kept), readAll(body))
      assert.doesNotMatch(kept, /Notification/)
      assert.deepEqual(await settle(world, kept, bucket), ['uploaded'])
      assert.equal(eventsOf(world).length, 1)
      assert.deepEqual(world.uploads.messages, [])
    })
  }

  test('of many records in an envelope are the bad ones alone, in one message, and the good ones are settled', async () => {
    const world = openWorld()
    world.images.upload({ key, bytes: photo, contentType: 'image/png' })
    const future = s3Record(key, { eventVersion: '3.0' })
    const records = [future, s3Record(key), 7, s3Record('%zz', { object: { key: '%zz' } })]
    const outcomes = await settle(world, inSns(notificationOf(...records)))
    const q = 'quarantined unreadable'
    assert.deepEqual(outcomes, [q, 'uploaded', q, q])
    assert.deepEqual(
      world.quarantine.messages.map(({ body }) => body),
      [notificationOf(records[0], records[2], records[3])],
    )
  })

  test("because its envelope can't be read is the message as it came, with what to do", async () => {
    const world = openWorld()
    const body = inSns('', { Type: 'SubscriptionConfirmation', Message: 'You have chosen to subscribe the endpoint' })
    assert.deepEqual(await settle(world, body), ['quarantined unreadable'])
    const [message] = world.quarantine.messages
    assert.equal(message?.body, body)
    assert.match(message.attributes['reason'] ?? '', /asks to confirm an SNS subscription.*SubscribeURL/)
    assert.deepEqual(world.uploads.messages, [])
  })

  test('leaves its reason behind where the queue takes no more than the message itself, and only then', async () => {
    const world = openWorld()
    world.quarantine.faults.fail('send', new RefusalError('Message must be shorter than 262144 bytes'))
    const body = `${notificationOf(s3Record(key), 7)}   `
    world.images.upload({ key, bytes: photo, contentType: 'image/png' })
    assert.deepEqual(await settle(world, body, bucket), ['quarantined foreign', 'quarantined unreadable'])
    const [{ body: kept, attributes } = {}] = world.quarantine.messages
    assert.deepEqual([kept, attributes, world.uploads.messages], [body, {}, []])

    const away = openWorld()
    away.quarantine.faults.fail('send', new OutageError('SQS', 'a test'))
    await assert.rejects(settle(away, body), OutageError)
    assert.deepEqual([away.quarantine.messages, away.uploads.messages.length], [[], 1])
  })

  test("is never S3's test event, in SQS or SNS: it is ignored and acknowledged", async () => {
    for (const body of [testEvent, inSns(testEvent)]) {
      const world = openWorld()
      assert.deepEqual(await settle(world, body), ['ignored test_event'])
      assert.deepEqual([world.uploads.messages, world.quarantine.messages], [[], []])
    }
  })
})
