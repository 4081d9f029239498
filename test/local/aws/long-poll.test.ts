import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'

import { CreateBucketCommand, PutBucketNotificationConfigurationCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
} from '@aws-sdk/client-sqs'

import { openTestAws } from './support.ts'

const openWithQueue = async (context: TestContext, Attributes: Record<string, string> = {}) => {
  const aws = await openTestAws(context)
  const QueueName = Attributes['FifoQueue'] ? 'work.fifo' : 'work'
  const { QueueUrl } = await aws.sqs.send(new CreateQueueCommand({ QueueName, Attributes }))
  const poll = async (rest: object = {}, abortSignal?: AbortSignal) => {
    const command = new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20, ...rest })
    const started = performance.now()
    const { Messages = [] } = await aws.sqs.send(command, abortSignal ? { abortSignal } : {})
    return {
      bodies: Messages.map(({ Body }) => Body),
      handle: Messages[0]?.ReceiptHandle,
      tookMs: performance.now() - started,
    }
  }
  const send = (MessageBody: string, rest: object = {}) =>
    aws.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody, ...rest }))
  const inFlight = async () => {
    const AttributeNames = ['ApproximateNumberOfMessagesNotVisible' as const]
    return (await aws.sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames }))).Attributes
      ?.ApproximateNumberOfMessagesNotVisible
  }
  return Object.assign(aws, { QueueUrl, poll, send, inFlight })
}

test('a waiting receive gets a message when it is sent', async (context) => {
  const { poll, send } = await openWithQueue(context)
  const waiting = poll()
  await send('a')
  const { bodies, tookMs } = await waiting
  assert.deepEqual(bodies, ['a'])
  assert.ok(tookMs < 5000, `${tookMs} ms`)
})

test('two waiting receivers get one message each', async (context) => {
  const { poll, send } = await openWithQueue(context)
  const waiting = [poll(), poll()]
  await send('a')
  await send('b')
  const got = (await Promise.all(waiting)).flatMap(({ bodies }) => bodies)
  assert.deepEqual(got.sort(), ['a', 'b'])
})

test('a waiting receive gets the notification of a put', async (context) => {
  const { s3, poll } = await openWithQueue(context)
  await s3.send(new CreateBucketCommand({ Bucket: 'images' }))
  const QueueConfigurations = [
    { QueueArn: 'arn:aws:sqs:us-east-1:000000000000:work', Events: ['s3:ObjectCreated:*' as const] },
  ]
  await s3.send(
    new PutBucketNotificationConfigurationCommand({
      Bucket: 'images',
      NotificationConfiguration: { QueueConfigurations },
    }),
  )
  assert.match((await poll()).bodies[0] ?? '', /s3:TestEvent/)
  const waiting = poll()
  await s3.send(new PutObjectCommand({ Bucket: 'images', Key: 'a', Body: 'x' }))
  assert.match((await waiting).bodies[0] ?? '', /ObjectCreated:Put/)
})

test('a wait ends when a hidden message comes back, a delay is over or a receiver lets go', async (context) => {
  const { poll, send, sqs, QueueUrl } = await openWithQueue(context)
  await send('hidden')
  const { handle } = await poll({ VisibilityTimeout: 1 })
  assert.ok(handle)
  const again = await poll()
  assert.deepEqual([again.bodies, again.tookMs < 5000], [['hidden'], true])
  await send('delayed', { DelaySeconds: 1 })
  assert.deepEqual((await poll()).bodies, ['delayed'])
  const waiting = poll()
  const input = { QueueUrl, ReceiptHandle: again.handle, VisibilityTimeout: 0 }
  await sqs.send(new ChangeMessageVisibilityCommand(input))
  assert.deepEqual((await waiting).bodies, ['hidden'])
})

test('a wait on a blocked group ends when its message in flight is deleted', async (context) => {
  const { poll, send, sqs, QueueUrl } = await openWithQueue(context, { FifoQueue: 'true' })
  for (const body of ['1', '2']) await send(body, { MessageGroupId: 'a', MessageDeduplicationId: body })
  const { handle } = await poll()
  const waiting = poll()
  await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: handle }))
  assert.deepEqual((await waiting).bodies, ['2'])
})

test('a wait ends empty when its time is over, by default the queue’s', async (context) => {
  const { poll } = await openWithQueue(context, { ReceiveMessageWaitTimeSeconds: '1' })
  const { bodies, tookMs } = await poll({ WaitTimeSeconds: undefined })
  assert.deepEqual(bodies, [])
  assert.ok(tookMs >= 950, `${tookMs} ms`)
  assert.ok((await poll({ WaitTimeSeconds: 0 })).tookMs < 900)
})

test('a receiver that has gone takes no message with it', async (context) => {
  const { poll, send, inFlight } = await openWithQueue(context)
  for (let round = 0; round < 10; round += 1) {
    const gone = new AbortController()
    const waiting = poll({}, gone.signal)
    // One call and its answer: by then the poll before it has arrived too.
    await inFlight()
    gone.abort()
    await assert.rejects(waiting, { name: 'AbortError' })
  }
  await inFlight()
  await send('a')
  assert.equal(await inFlight(), '0')
  assert.deepEqual((await poll()).bodies, ['a'])
})

test('messages, visibility and receipt handles survive a restart', async (context) => {
  const { poll, send, restart, sqs, QueueUrl, inFlight } = await openWithQueue(context)
  await send('a')
  await send('b')
  const { handle, bodies } = await poll()
  await restart()
  assert.equal(await inFlight(), '1')
  assert.notDeepEqual((await poll()).bodies, bodies)
  await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: handle }))
  assert.equal(await inFlight(), '1')
})
