import assert from 'node:assert/strict'
import { suite, test, type TestContext } from 'node:test'

import { sqsJobQueue } from '#shared/adapters/sqs/job-queue.ts'
import { sqsMessageQueue } from '#shared/adapters/sqs/message-queue.ts'
import { OutageError, RefusalError, SetupError } from '#shared/ports/failures.ts'
import type { QueueMessage } from '#shared/ports/message-queue.ts'
import { visionJob } from '../../../contract/job-queue.ts'
import { allDone, openScriptedSqs, sqsError, type SqsAnswer, type SqsCall } from './scripted-sqs.ts'

const message = (index: number): QueueMessage => ({
  id: `id ${index}`,
  receipt: `receipt ${index}`,
  body: 'body',
  attributes: {},
  receiveCount: 1,
  sentAt: new Date(0),
})
const messages = (count: number) => Array.from({ length: count }, (_, index) => message(index))

const open = async (context: TestContext, answer: Parameters<typeof openScriptedSqs>[1] = allDone) => {
  const { calls, ...options } = await openScriptedSqs(context, answer)
  const sizes = (action: string) => calls.filter((call) => call.action === action).map(({ entries }) => entries.length)
  return { queue: sqsMessageQueue(options), jobs: sqsJobQueue(options), calls, sizes }
}

const receive = { max: 10, waitSeconds: 0, visibilitySeconds: 30, signal: new AbortController().signal }

const kinds = (ends: readonly PromiseSettledResult<unknown>[]) =>
  ends.map((end) => (end.status === 'fulfilled' ? 'ok' : (end.reason as Error).name)) // all that is thrown is an Error

suite('the SQS message queue', () => {
  test('calls that come at once share requests of ten', async (context) => {
    const { queue, jobs, sizes } = await open(context)
    await Promise.all(messages(25).map(queue.acknowledge))
    await Promise.all(messages(25).map((one) => queue.extend(one, 30)))
    await Promise.all(messages(25).map(({ body }) => queue.send({ body })))
    for (const action of ['DeleteMessageBatch', 'ChangeMessageVisibilityBatch', 'SendMessageBatch']) {
      assert.deepEqual(sizes(action), [10, 10, 5], action)
    }
    await Promise.all(messages(12).map(({ id }) => jobs.send(visionJob(id))))
    assert.deepEqual(sizes('SendMessageBatch').slice(3), [10, 2])
  })

  test('each extension carries its own time', async (context) => {
    const { queue, calls } = await open(context)
    await Promise.all(messages(3).map((one, index) => queue.extend(one, index * 10)))
    assert.deepEqual(calls[0]?.entries, [
      { Id: '0', ReceiptHandle: 'receipt 0', VisibilityTimeout: 0 },
      { Id: '1', ReceiptHandle: 'receipt 1', VisibilityTimeout: 10 },
      { Id: '2', ReceiptHandle: 'receipt 2', VisibilityTimeout: 20 },
    ])
  })

  /** What becomes of each receipt: those that are not named are left out of the answer. */
  const byReceipt =
    (codes: Readonly<Record<string, string>>) =>
    ({ entries }: SqsCall): SqsAnswer => {
      const told = entries.map(({ Id, ReceiptHandle }) => ({ Id, Code: codes[String(ReceiptHandle)] }))
      return {
        body: {
          Successful: told.filter(({ Code }) => Code === 'ok'),
          Failed: told.flatMap(({ Id, Code }) =>
            Code === undefined || Code === 'ok' ? [] : [{ Id, Code, SenderFault: Code !== 'InternalError' }],
          ),
        },
      }
    }
  const codes = { 'receipt 0': 'ok', 'receipt 1': 'ReceiptHandleIsInvalid', 'receipt 2': 'InternalError' }
  const receiptsOf = (calls: readonly SqsCall[]) =>
    calls.map(({ entries }) => entries.map(({ ReceiptHandle }) => ReceiptHandle))

  test('an entry that fails rejects alone', async (context) => {
    const { queue } = await open(context, byReceipt(codes))
    for (const call of [queue.acknowledge, (one: QueueMessage) => queue.extend(one, 1)]) {
      const ends = await Promise.allSettled(messages(4).map(call))
      assert.deepEqual(kinds(ends), ['ok', 'RefusalError', 'OutageError', 'OutageError'])
    }
  })

  test('entries that failed for the moment are sent once more, without those that are settled', async (context) => {
    const { queue, calls } = await open(context, (call, count) =>
      count === 1 ? byReceipt(codes)(call) : allDone(call),
    )
    const ends = await Promise.allSettled(messages(4).map(queue.acknowledge))
    assert.deepEqual(kinds(ends), ['ok', 'RefusalError', 'ok', 'ok'])
    assert.deepEqual(receiptsOf(calls), [
      ['receipt 0', 'receipt 1', 'receipt 2', 'receipt 3'],
      ['receipt 2', 'receipt 3'],
    ])
  })

  test('what was settled stays so when the failed entries meet an outage', async (context) => {
    const { queue } = await open(context, (call, count) =>
      count === 1 ? byReceipt(codes)(call) : sqsError('InternalError', 500),
    )
    const ends = await Promise.allSettled(messages(4).map(queue.acknowledge))
    assert.deepEqual(kinds(ends), ['ok', 'RefusalError', 'OutageError', 'OutageError'])
  })

  test('a batch that is refused for one entry is settled entry by entry, in order', async (context) => {
    const { queue, calls } = await open(context, (call) => {
      const isAlone = call.entries.length === 1
      const bad = call.entries.some(({ MessageBody }) => MessageBody === 'bad')
      if (bad) return sqsError('InvalidMessageContents')
      return isAlone ? allDone(call) : sqsError('InvalidMessageContents')
    })
    const ends = await Promise.allSettled(['a', 'bad', 'b'].map((body) => queue.send({ body })))
    assert.deepEqual(kinds(ends), ['ok', 'RefusalError', 'ok'])
    assert.deepEqual(
      calls.map(({ entries }) => entries.map(({ MessageBody }) => MessageBody)),
      [['a', 'bad', 'b'], ['a'], ['bad'], ['b']],
    )
  })

  test('a batch that nobody may send, or that nobody answers, fails as a whole', async (context) => {
    let answer: SqsAnswer = sqsError('AccessDeniedException', 403)
    const { queue, calls } = await open(context, () => answer)
    const send = () => Promise.allSettled(messages(3).map(queue.acknowledge))
    assert.deepEqual(kinds(await send()), Array(3).fill('SetupError'))
    assert.equal(calls.length, 1)
    answer = sqsError('InternalError', 500)
    assert.deepEqual(kinds(await send()), Array(3).fill('OutageError'))
  })

  test('a message carries its attributes, and of a FIFO queue its order', async (context) => {
    const { queue, calls } = await open(context)
    await queue.send({ body: 'a', attributes: { reason: 'r' }, fifo: { group: 'g', deduplicationId: 'd' } })
    await queue.send({ body: 'b' })
    const entries = calls.map((call) => call.entries[0])
    assert.deepEqual(entries, [
      {
        Id: '0',
        MessageBody: 'a',
        MessageAttributes: { reason: { DataType: 'String', StringValue: 'r' } },
        MessageGroupId: 'g',
        MessageDeduplicationId: 'd',
      },
      { Id: '0', MessageBody: 'b' },
    ])
  })

  test('messages of more than 1 MiB together go apart', async (context) => {
    const { queue, sizes } = await open(context)
    const attributes = { reason: 'x'.repeat(1000) }
    await Promise.all([400_000, 600_000, 50_000].map((size) => queue.send({ body: 'x'.repeat(size), attributes })))
    assert.deepEqual(sizes('SendMessageBatch'), [2, 1])
  })

  test('what is received may lack all that it can lack', async (context) => {
    const whole = { MessageId: 'm', ReceiptHandle: 'r', Body: 'b' }
    const bodies: [answer: unknown, ids: string[]][] = [
      ['', []],
      [{}, []],
      [{ Messages: null }, []],
      [{ Messages: [whole, { ...whole, ReceiptHandle: undefined }, { Body: 'b' }] }, ['m']],
      [{ Messages: [{ ...whole, Attributes: null, MessageAttributes: null, More: 1 }] }, ['m']],
    ]
    let body: unknown
    const { queue, calls } = await open(context, () => ({ body }))
    for (const [answer, ids] of bodies) {
      body = answer
      const received = await queue.receive(receive)
      assert.deepEqual(
        received.map(({ id }) => id),
        ids,
      )
    }
    const { QueueUrl, ...input } = calls[0]?.input ?? {}
    assert.match(String(QueueUrl), /uploads$/)
    assert.deepEqual(input, {
      MaxNumberOfMessages: 10,
      WaitTimeSeconds: 0,
      VisibilityTimeout: 30,
      MessageSystemAttributeNames: ['ApproximateReceiveCount', 'SentTimestamp', 'MessageGroupId'],
      MessageAttributeNames: ['All'],
    })
  })

  test('a message tells its count, its time and its attributes, binary ones aside', async (context) => {
    const { queue } = await open(context, () => ({
      body: {
        Messages: [
          {
            MessageId: 'm',
            ReceiptHandle: 'r',
            Body: 'b',
            Attributes: { ApproximateReceiveCount: '3', SentTimestamp: 1735689600000, MessageGroupId: 'g' },
            MessageAttributes: {
              reason: { DataType: 'String', StringValue: 'x' },
              blob: { DataType: 'Binary', BinaryValue: 'AA==' },
            },
          },
        ],
      },
    }))
    assert.deepEqual(await queue.receive(receive), [
      {
        id: 'm',
        receipt: 'r',
        body: 'b',
        attributes: { reason: 'x' },
        receiveCount: 3,
        sentAt: new Date('2025-01-01T00:00:00Z'),
        group: 'g',
      },
    ])
  })

  for (const body of ['{"Messages":', '[]', '{"Messages":[{"Body":7}]}', '<html>']) {
    test(`an answer that can't be read, ${body}, is an outage`, async (context) => {
      const { queue } = await open(context, () => ({ body }))
      await assert.rejects(queue.receive(receive), OutageError)
      await assert.rejects(queue.acknowledge(message(0)), OutageError)
    })
  }

  test('refusals, faults of the set-up and outages are told apart', async (context) => {
    let answer = sqsError('ReceiptHandleIsInvalid')
    const { queue } = await open(context, () => answer)
    await assert.rejects(queue.extend(message(0), 1), RefusalError)
    answer = sqsError('QueueDoesNotExist')
    await assert.rejects(queue.extend(message(0), 1), SetupError)
    answer = sqsError('RequestThrottled', 403)
    await assert.rejects(queue.extend(message(0), 1), OutageError)
  })
})
