import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'

import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
} from '@aws-sdk/client-sqs'

import { openTestAws } from './support.ts'

const openWithFifo = async (context: TestContext, attributes: Record<string, string> = {}) => {
  const aws = await openTestAws(context)
  const Attributes = { FifoQueue: 'true', ...attributes }
  const { QueueUrl } = await aws.sqs.send(new CreateQueueCommand({ QueueName: 'jobs.fifo', Attributes }))
  const send = (MessageBody: string, MessageGroupId?: string, MessageDeduplicationId?: string) =>
    aws.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody, MessageGroupId, MessageDeduplicationId }))
  const receive = async (MaxNumberOfMessages = 10): Promise<Message[]> => {
    const input = { QueueUrl, MaxNumberOfMessages, MessageSystemAttributeNames: ['All' as const] }
    return (await aws.sqs.send(new ReceiveMessageCommand(input))).Messages ?? []
  }
  const remove = (message: Message | undefined) =>
    aws.sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message?.ReceiptHandle }))
  return Object.assign(aws, { QueueUrl, send, receive, remove })
}
const bodies = (messages: Message[]) => messages.map(({ Body }) => Body)

test('a group gives its messages in order, and none while one is in flight', async (context) => {
  const { send, receive, remove, advance } = await openWithFifo(context)
  for (const [body, group] of [
    ['a1', 'a'],
    ['a2', 'a'],
    ['b1', 'b'],
    ['a3', 'a'],
  ] as const)
    await send(body, group, body)
  const [a1] = await receive(1)
  assert.equal(a1?.Body, 'a1')
  assert.deepEqual(bodies(await receive()), ['b1'])
  await remove(a1)
  const rest = await receive()
  assert.deepEqual(bodies(rest), ['a2', 'a3'])
  assert.ok((rest[0]?.Attributes?.SequenceNumber ?? '') < (rest[1]?.Attributes?.SequenceNumber ?? ''))
  await remove(rest[1])
  assert.deepEqual(await receive(), [])
  advance(31_000)
  assert.deepEqual(bodies(await receive()).sort(), ['a2', 'b1'])
})

test('a message that is made visible at once comes before the later ones of its group', async (context) => {
  const { send, receive, sqs, QueueUrl } = await openWithFifo(context)
  for (const body of ['1', '2']) await send(body, 'a', body)
  const [first] = await receive(1)
  await sqs.send(
    new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle: first?.ReceiptHandle, VisibilityTimeout: 0 }),
  )
  assert.deepEqual(bodies(await receive(1)), ['1'])
})

test('a group waits while a later message of it is in flight', async (context) => {
  const { send, receive, remove, sqs, QueueUrl } = await openWithFifo(context)
  for (const body of ['1', '2', '3']) await send(body, 'a', body)
  const [first, second] = await receive(2)
  await sqs.send(
    new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle: first?.ReceiptHandle, VisibilityTimeout: 0 }),
  )
  assert.deepEqual(await receive(), [])
  await remove(second)
  assert.deepEqual(bodies(await receive()), ['1', '3'])
})

test('a delay holds back the later messages of its group, not the earlier ones', async (context) => {
  const { send, receive, advance, sqs, QueueUrl } = await openWithFifo(context, { DelaySeconds: '10' })
  await send('1', 'a', '1')
  advance(5000)
  await send('2', 'a', '2')
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { DelaySeconds: '0' } }))
  await send('3', 'a', '3')
  assert.deepEqual(await receive(), [])
  advance(5100)
  const [first, ...others] = await receive()
  assert.deepEqual([first?.Body, others], ['1', []])
})

test('a repeat within five minutes gives the first id and enqueues nothing, also after the delete', async (context) => {
  const { send, receive, remove, advance, restart } = await openWithFifo(context)
  const first = await send('x', 'a', 'same')
  const repeat = await send('other', 'b', 'same')
  assert.deepEqual([repeat.MessageId, repeat.SequenceNumber], [first.MessageId, first.SequenceNumber])
  const received = await receive()
  assert.deepEqual(bodies(received), ['x'])
  await remove(received[0])
  await restart()
  advance(299_000)
  assert.equal((await send('x', 'a', 'same')).MessageId, first.MessageId)
  assert.deepEqual(await receive(), [])
  advance(1100)
  assert.notEqual((await send('x', 'a', 'same')).MessageId, first.MessageId)
  assert.deepEqual(bodies(await receive()), ['x'])
})

test('a batch drops repeats of its own entries', async (context) => {
  const { sqs, QueueUrl, receive } = await openWithFifo(context)
  const entry = (Id: string, MessageDeduplicationId: string) => ({
    Id,
    MessageBody: Id,
    MessageGroupId: 'a',
    MessageDeduplicationId,
  })
  const Entries = [entry('1', 'x'), entry('2', 'x'), entry('3', 'y')]
  const { Successful } = await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }))
  assert.equal(Successful?.length, 3)
  assert.deepEqual(bodies(await receive()), ['1', '3'])
})

test('the content is the deduplication id where the queue says so', async (context) => {
  const { send, receive } = await openWithFifo(context, { ContentBasedDeduplication: 'true' })
  for (const body of ['x', 'x', 'y']) await send(body, 'a')
  assert.deepEqual(bodies(await receive()), ['x', 'y'])
})

test('a group may be the scope of deduplication', async (context) => {
  const { send, receive } = await openWithFifo(context, { DeduplicationScope: 'messageGroup' })
  for (const group of ['a', 'b', 'a']) await send(group, group, 'same')
  assert.deepEqual(bodies(await receive()).sort(), ['a', 'b'])
})

test('ids that are missing or malformed are refused', async (context) => {
  const { send } = await openWithFifo(context)
  await send('x', 'g'.repeat(128), 'd'.repeat(128))
  await assert.rejects(send('x', undefined, 'd'), { name: 'MissingParameter' })
  await assert.rejects(send('x', 'g'), { name: 'InvalidParameterValue' })
  await assert.rejects(send('x', 'g'.repeat(129), 'd'), { name: 'InvalidParameterValue' })
  await assert.rejects(send('x', 'g', 'd'.repeat(129)), { name: 'InvalidParameterValue' })
  await assert.rejects(send('x', 'a b', 'd'), { name: 'InvalidParameterValue' })
})

test('a poisonous message moves to the dead letters and its group goes on', async (context) => {
  const { sqs, QueueUrl, send, receive, advance } = await openWithFifo(context)
  await sqs.send(new CreateQueueCommand({ QueueName: 'dead.fifo', Attributes: { FifoQueue: 'true' } }))
  await sqs.send(new CreateQueueCommand({ QueueName: 'dead' }))
  const redrive = (queue: string) => {
    const RedrivePolicy = JSON.stringify({
      deadLetterTargetArn: `arn:aws:sqs:us-east-1:000000000000:${queue}`,
      maxReceiveCount: '1',
    })
    return sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { RedrivePolicy } }))
  }
  await assert.rejects(redrive('dead'), { name: 'InvalidParameterValue' })
  await redrive('dead.fifo')
  for (const body of ['1', '2']) await send(body, 'a', body)
  assert.deepEqual(bodies(await receive(1)), ['1'])
  advance(31_000)
  assert.deepEqual(bodies(await receive(1)), ['2'])
  const dead = await sqs.send(new ReceiveMessageCommand({ QueueUrl: QueueUrl?.replace('jobs', 'dead') }))
  assert.deepEqual(bodies(dead.Messages ?? []), ['1'])
})
