import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'

import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListQueuesCommand,
  type Message,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  type ReceiveMessageCommandInput,
  SendMessageBatchCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  TagQueueCommand,
} from '@aws-sdk/client-sqs'

import { sendRaw } from './raw.ts'
import { openTestAws } from './support.ts'

const openWithQueue = async (context: TestContext, Attributes: Record<string, string> = {}) => {
  const aws = await openTestAws(context)
  const { QueueUrl } = await aws.sqs.send(new CreateQueueCommand({ QueueName: 'work', Attributes }))
  assert.ok(QueueUrl)
  const receive = async (input: Partial<ReceiveMessageCommandInput> = {}): Promise<Message[]> =>
    (await aws.sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, ...input }))).Messages ?? []
  const send = (MessageBody: string, rest: object = {}) =>
    aws.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody, ...rest }))
  return Object.assign(aws, { QueueUrl, receive, send })
}
const bodies = (messages: Message[]) => messages.map(({ Body }) => Body)
const handleOf = ([message]: Message[]): string => message?.ReceiptHandle ?? ''
const depth = async ({ sqs, QueueUrl }: Awaited<ReturnType<typeof openWithQueue>>) => {
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }))
  const states = ['', 'NotVisible', 'Delayed'] as const
  return states.map((state) => Number(Attributes?.[`ApproximateNumberOfMessages${state}`]))
}

test('a queue is created once, found by its name, listed and deleted', async (context) => {
  const { sqs, url, QueueUrl } = await openWithQueue(context, { VisibilityTimeout: '5' })
  assert.equal(QueueUrl, `${url}/000000000000/work`)
  const create = (Attributes: Record<string, string>) =>
    sqs.send(new CreateQueueCommand({ QueueName: 'work', Attributes }))
  assert.equal((await create({ VisibilityTimeout: '5' })).QueueUrl, QueueUrl)
  assert.equal((await create({})).QueueUrl, QueueUrl)
  await assert.rejects(create({ VisibilityTimeout: '6' }), { name: 'QueueNameExists' })
  assert.equal((await sqs.send(new GetQueueUrlCommand({ QueueName: 'work' }))).QueueUrl, QueueUrl)
  assert.deepEqual((await sqs.send(new ListQueuesCommand({ QueueNamePrefix: 'wo' }))).QueueUrls, [QueueUrl])
  await sqs.send(new DeleteQueueCommand({ QueueUrl }))
  await assert.rejects(sqs.send(new GetQueueUrlCommand({ QueueName: 'work' })), { name: 'QueueDoesNotExist' })
})

test('attributes out of range, unknown or for another type of queue are refused', async (context) => {
  const { sqs, QueueUrl } = await openWithQueue(context)
  const refused: [Record<string, string>, string][] = [
    [{ VisibilityTimeout: '43201' }, 'InvalidAttributeValue'],
    [{ DelaySeconds: '-1' }, 'InvalidAttributeValue'],
    [{ MessageRetentionPeriod: '59' }, 'InvalidAttributeValue'],
    [{ MaximumMessageSize: '1048577' }, 'InvalidAttributeValue'],
    [{ Colour: 'red' }, 'InvalidAttributeName'],
    [{ FifoQueue: 'true' }, 'InvalidAttributeName'],
    [{ ContentBasedDeduplication: 'true' }, 'InvalidAttributeName'],
    [{ RedrivePolicy: '{"maxReceiveCount":3}' }, 'InvalidParameterValue'],
    [
      { RedrivePolicy: '{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:none","maxReceiveCount":3}' },
      'InvalidParameterValue',
    ],
  ]
  for (const [Attributes, name] of refused)
    await assert.rejects(
      sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes })),
      { name },
      JSON.stringify(Attributes),
    )
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { VisibilityTimeout: '7' } }))
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['VisibilityTimeout', 'QueueArn'] }),
  )
  assert.deepEqual(Attributes, { VisibilityTimeout: '7', QueueArn: 'arn:aws:sqs:us-east-1:000000000000:work' })
  await assert.rejects(sqs.send(new CreateQueueCommand({ QueueName: 'no spaces' })), {
    name: 'InvalidParameterValue',
  })
})

test('a message comes back as it was sent, with the attributes asked for', async (context) => {
  const { send, receive } = await openWithQueue(context)
  const MessageAttributes = {
    traceparent: { DataType: 'String', StringValue: '00-ü' },
    'app.count': { DataType: 'Number', StringValue: '-1.5' },
    'app.bytes': { DataType: 'Binary', BinaryValue: new Uint8Array([0, 255]) },
  }
  const { MessageId, MD5OfMessageAttributes } = await send('ünï\t😀', { MessageAttributes })
  const [all] = await receive({
    VisibilityTimeout: 0,
    MessageAttributeNames: ['All'],
    MessageSystemAttributeNames: ['All'],
  })
  assert.partialDeepStrictEqual(all, { MessageId, Body: 'ünï\t😀', MD5OfMessageAttributes })
  assert.deepEqual(Object.keys(all?.MessageAttributes ?? {}).sort(), Object.keys(MessageAttributes).sort())
  assert.deepEqual([...(all?.MessageAttributes?.['app.bytes']?.BinaryValue ?? [])], [0, 255])
  assert.equal(all?.Attributes?.ApproximateReceiveCount, '1')
  const [some] = await receive({
    VisibilityTimeout: 0,
    MessageAttributeNames: ['app.*'],
    MessageSystemAttributeNames: ['ApproximateReceiveCount'],
  })
  assert.deepEqual(Object.keys(some?.MessageAttributes ?? {}).sort(), ['app.bytes', 'app.count'])
  assert.deepEqual(some?.Attributes, { ApproximateReceiveCount: '2' })
  const [none] = await receive()
  assert.deepEqual([none?.MessageAttributes, none?.Attributes], [undefined, undefined])
})

test('the digest of message attributes is the one that AWS documents', async (context) => {
  const { send } = await openWithQueue(context)
  const StringValue = 'value'
  const { MD5OfMessageAttributes } = await send('x', {
    MessageAttributes: { name: { DataType: 'String', StringValue } },
  })
  // md5 of 00000004 "name" 00000006 "String" 01 00000005 "value", computed elsewhere.
  assert.equal(MD5OfMessageAttributes, '25ada41cad9d6e55ad5a2b3d2da508a2')
})

test('what SQS would not take as a message is refused', async (context) => {
  const { send, QueueUrl, sqs } = await openWithQueue(context)
  await send('x'.repeat(1_048_576))
  const attribute = { a: { DataType: 'String', StringValue: 'b' } }
  const refused: [string, object, string][] = [
    ['x'.repeat(1_048_577), {}, 'InvalidParameterValue'],
    ['x'.repeat(1_048_576), { MessageAttributes: attribute }, 'InvalidParameterValue'],
    ['', {}, 'MissingParameter'],
    ['a\u0000b', {}, 'InvalidMessageContents'],
    ['\uFFFF', {}, 'InvalidMessageContents'],
    ['a', { MessageAttributes: { a: { DataType: 'String', StringValue: 'a\u0000b' } } }, 'InvalidMessageContents'],
    ['a', { DelaySeconds: 901 }, 'InvalidParameterValue'],
    ['a', { MessageDeduplicationId: 'a' }, 'InvalidParameterValue'],
    ['a', { MessageAttributes: { a: { DataType: 'String', StringValue: '' } } }, 'InvalidParameterValue'],
    ['a', { MessageAttributes: { a: { DataType: 'Text', StringValue: 'b' } } }, 'InvalidParameterValue'],
    ['a', { MessageAttributes: { 'AWS.a': { DataType: 'String', StringValue: 'b' } } }, 'InvalidParameterValue'],
    ['a', { MessageAttributes: { a: { DataType: 'Number', StringValue: 'b' } } }, 'InvalidParameterValue'],
  ]
  for (const [body, rest, name] of refused)
    await assert.rejects(send(body, rest), { name }, `${body.slice(0, 9)} ${JSON.stringify(rest)}`)
  const twoHalves = ['1', '2'].map((Id) => ({ Id, MessageBody: 'x'.repeat(524_289) }))
  await assert.rejects(sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries: twoHalves })), {
    name: 'BatchRequestTooLong',
  })
})

test('a batch answers for each entry, and is refused whole when it is no batch', async (context) => {
  const { sqs, QueueUrl, receive } = await openWithQueue(context)
  const entry = (Id: string, MessageBody = 'x') => ({ Id, MessageBody })
  const sent = await sqs.send(
    new SendMessageBatchCommand({ QueueUrl, Entries: [entry('a'), entry('b', '\u0001'), entry('c')] }),
  )
  assert.deepEqual(
    sent.Successful?.map(({ Id }) => Id),
    ['a', 'c'],
  )
  assert.deepEqual(
    sent.Failed?.map(({ Id, Code, SenderFault }) => [Id, Code, SenderFault]),
    [['b', 'InvalidMessageContents', true]],
  )
  const [first] = await receive()
  const Entries = [
    { Id: 'a', ReceiptHandle: first?.ReceiptHandle },
    { Id: 'b', ReceiptHandle: 'rubbish' },
  ]
  const deleted = await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }))
  assert.deepEqual(
    deleted.Successful?.map(({ Id }) => Id),
    ['a'],
  )
  assert.deepEqual(
    deleted.Failed?.map(({ Id, Code }) => [Id, Code]),
    [['b', 'ReceiptHandleIsInvalid']],
  )
  const refused: [ReturnType<typeof entry>[], string][] = [
    [[], 'EmptyBatchRequest'],
    [Array.from({ length: 11 }, (_, index) => entry(String(index))), 'TooManyEntriesInBatchRequest'],
    [[entry('a'), entry('a')], 'BatchEntryIdsNotDistinct'],
    [[entry('a b')], 'InvalidBatchEntryId'],
  ]
  for (const [entries, name] of refused)
    await assert.rejects(sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries: entries })), { name })
})

test('a received message is hidden until its time is over, then it comes again', async (context) => {
  const aws = await openWithQueue(context, { VisibilityTimeout: '5' })
  await aws.send('a')
  assert.deepEqual(bodies(await aws.receive()), ['a'])
  assert.deepEqual([await aws.receive(), await depth(aws)], [[], [0, 1, 0]])
  aws.advance(4900)
  assert.deepEqual(await aws.receive(), [])
  aws.advance(200)
  assert.deepEqual(bodies(await aws.receive({ VisibilityTimeout: 1 })), ['a'])
  aws.advance(1100)
  assert.deepEqual(bodies(await aws.receive()), ['a'])
})

test('an old receipt handle answers success and deletes nothing', async (context) => {
  const aws = await openWithQueue(context)
  await aws.send('a')
  const old = handleOf(await aws.receive({ VisibilityTimeout: 0 }))
  const current = handleOf(await aws.receive())
  assert.notEqual(old, current)
  const remove = (ReceiptHandle: string) =>
    aws.sqs.send(new DeleteMessageCommand({ QueueUrl: aws.QueueUrl, ReceiptHandle }))
  await remove(old)
  assert.deepEqual(await depth(aws), [0, 1, 0])
  await remove(current)
  await remove(current)
  assert.deepEqual(await depth(aws), [0, 0, 0])
  const { QueueUrl: other } = await aws.sqs.send(new CreateQueueCommand({ QueueName: 'other' }))
  for (const [QueueUrl, ReceiptHandle] of [
    [aws.QueueUrl, 'rubbish'],
    [aws.QueueUrl, `${current.slice(0, -8)}AAAAAAA=`],
    [other, current],
  ])
    await assert.rejects(aws.sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle })), {
      name: 'ReceiptHandleIsInvalid',
    })
})

test('visibility is changed by the latest receiver only, while the message is in flight', async (context) => {
  const aws = await openWithQueue(context)
  await aws.send('a')
  const change = (ReceiptHandle: string, VisibilityTimeout: number) =>
    aws.sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl: aws.QueueUrl, ReceiptHandle, VisibilityTimeout }))
  const first = handleOf(await aws.receive())
  await change(first, 0)
  await assert.rejects(change(first, 10), { name: 'MessageNotInflight' })
  const second = handleOf(await aws.receive())
  await assert.rejects(change(first, 0), { name: 'InvalidParameterValue' })
  await change(second, 100)
  aws.advance(99_000)
  assert.deepEqual(await aws.receive(), [])
  await assert.rejects(change(second, 43_200), /Total VisibilityTimeout/)
  await assert.rejects(change(second, 43_201), { name: 'InvalidParameterValue' })
})

test('a delayed message comes when its delay is over', async (context) => {
  const aws = await openWithQueue(context, { DelaySeconds: '3' })
  await aws.send('late')
  await aws.send('now', { DelaySeconds: 0 })
  assert.deepEqual([bodies(await aws.receive()), await depth(aws)], [['now'], [0, 1, 1]])
  aws.advance(3100)
  assert.deepEqual(bodies(await aws.receive()), ['late'])
})

test('a message past its retention is gone, and a purge empties the queue', async (context) => {
  const aws = await openWithQueue(context, { MessageRetentionPeriod: '60' })
  await aws.send('a')
  aws.advance(59_000)
  assert.deepEqual(bodies(await aws.receive({ VisibilityTimeout: 0 })), ['a'])
  aws.advance(1100)
  assert.deepEqual(await aws.receive(), [])
  await aws.send('b')
  await aws.sqs.send(new PurgeQueueCommand({ QueueUrl: aws.QueueUrl }))
  assert.deepEqual(await depth(aws), [0, 0, 0])
})

test('a message that was received too often moves to the dead letters as it is', async (context) => {
  const aws = await openWithQueue(context)
  const { sqs, QueueUrl, receive } = aws
  const { QueueUrl: deadUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'dead' }))
  const RedrivePolicy = JSON.stringify({
    deadLetterTargetArn: 'arn:aws:sqs:us-east-1:000000000000:dead',
    maxReceiveCount: 2,
  })
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { RedrivePolicy } }))
  const sent = await aws.send('poison', { MessageAttributes: { a: { DataType: 'String', StringValue: 'b' } } })
  await aws.send('good')
  for (const count of [1, 2]) assert.equal((await receive({ VisibilityTimeout: 0 })).length, 2, `receive ${count}`)
  await aws.send('fresh')
  assert.deepEqual(bodies(await receive()), ['fresh'])
  const dead = await receive({
    QueueUrl: deadUrl,
    MessageAttributeNames: ['All'],
    MessageSystemAttributeNames: ['All'],
  })
  assert.deepEqual(bodies(dead).sort(), ['good', 'poison'])
  const poison = dead.find(({ MessageId }) => MessageId === sent.MessageId)
  assert.equal(poison?.MessageAttributes?.a?.StringValue, 'b')
  assert.equal(poison.Attributes?.DeadLetterQueueSourceArn, 'arn:aws:sqs:us-east-1:000000000000:work')
})

test('unknown calls, queues and malformed bodies are refused by name', async (context) => {
  const { sqs, QueueUrl, receive, url } = await openWithQueue(context)
  await assert.rejects(sqs.send(new TagQueueCommand({ QueueUrl, Tags: { a: 'b' } })), {
    name: 'InvalidAction',
  })
  await assert.rejects(receive({ QueueUrl: `${url}/000000000000/none` }), { name: 'QueueDoesNotExist' })
  await assert.rejects(receive({ MaxNumberOfMessages: 11 }), { name: 'InvalidParameterValue' })
  await assert.rejects(receive({ WaitTimeSeconds: 21 }), { name: 'InvalidParameterValue' })
  await assert.rejects(receive({ VisibilityTimeout: 43_201 }), { name: 'InvalidParameterValue' })
  const queryProtocol = await sendRaw(url, { method: 'POST', body: 'Action=ListQueues' })
  assert.equal(queryProtocol.status, 403)
})
