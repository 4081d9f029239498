import assert from 'node:assert/strict'
import { suite, test, type TestContext } from 'node:test'

import { OutageError, RefusalError, SetupError } from '#shared/ports/failures.ts'
import type { MessageQueue, NewMessage, QueueMessage } from '#shared/ports/message-queue.ts'
import { eventually } from '../support/eventually.ts'

export type MessageQueueUnderTest = {
  /** Empty. */
  queue: MessageQueue
  /** Lets so much of the queue's time pass. */
  pass: (seconds: number) => void | Promise<void>
  /** The same adapter on a queue that does not exist. */
  misplaced: MessageQueue
  /** The same adapter where nothing answers. */
  away: MessageQueue
  dispose?: () => Promise<void>
}

const visibilitySeconds = 30
const never = new AbortController().signal

const take = (queue: MessageQueue, waitSeconds = 0) =>
  queue.receive({ max: 10, waitSeconds, visibilitySeconds, signal: never })

const takeOne = async (queue: MessageQueue): Promise<QueueMessage> => {
  const [message, ...others] = await eventually(async () => {
    const messages = await take(queue)
    return messages.length > 0 ? messages : undefined
  }, 'a message')
  assert.ok(message)
  assert.deepEqual(others, [])
  return message
}

const takeMany = async (queue: MessageQueue, count: number) => {
  const messages: QueueMessage[] = []
  await eventually(async () => {
    messages.push(...(await take(queue)))
    return messages.length >= count
  }, `${count} messages`)
  return messages
}

const strayed: QueueMessage = {
  id: 'id',
  receipt: 'receipt',
  body: 'body',
  attributes: {},
  receiveCount: 1,
  sentAt: new Date(0),
}

const calls: Readonly<Record<string, (queue: MessageQueue) => Promise<unknown>>> = {
  receive: (queue) => take(queue),
  acknowledge: (queue) => queue.acknowledge(strayed),
  extend: (queue) => queue.extend(strayed, 10),
  send: (queue) => queue.send({ body: 'body' }),
  ping: (queue) => queue.ping(),
}

const impossible: Readonly<Record<string, NewMessage>> = {
  'a body of more than 1 MiB': { body: 'x'.repeat(1_048_577) },
  'an empty body': { body: '' },
  'a body with U+FFFE': { body: 'a\ufffeb' },
  'a body with a control character': { body: 'a\u0001b' },
  'an attribute with a control character': { body: 'a', attributes: { reason: 'a\u0000b' } },
  'an empty attribute': { body: 'a', attributes: { reason: '' } },
}

/** What every message queue promises (shared/ports/message-queue.ts). */
export const messageQueueContract = (name: string, openQueue: () => Promise<MessageQueueUnderTest>): void => {
  const open = async (context: TestContext) => {
    const opened = await openQueue()
    context.after(() => opened.dispose?.())
    return opened
  }

  suite(`${name} as a message queue`, () => {
    test('hands out what was sent, with its attributes, count and time', async (context) => {
      const { queue } = await open(context)
      const before = Date.now()
      const body = '{"text":"ü 日本 🙂 <&>\\u0000"}\n\t'
      const attributes = { reason: 'it is "not" ours; ünï', 'source-message-id': '1' }
      await queue.send({ body, attributes })
      const message = await takeOne(queue)
      assert.equal(message.body, body)
      assert.deepEqual({ ...message.attributes }, attributes)
      assert.equal(message.receiveCount, 1)
      assert.ok(message.sentAt.getTime() >= before - 1000 && message.sentAt.getTime() <= Date.now() + 1000)
    })

    test('hides a message in hand, and hands it out again under a new receipt with a higher count', async (context) => {
      const { queue, pass } = await open(context)
      await queue.send({ body: 'a' })
      const first = await takeOne(queue)
      assert.deepEqual(await take(queue), [])
      await pass(visibilitySeconds + 1)
      const second = await takeOne(queue)
      assert.deepEqual([second.id, second.body, second.receiveCount], [first.id, 'a', 2])
      assert.notEqual(second.receipt, first.receipt)
    })

    test('never hands out again what was acknowledged', async (context) => {
      const { queue, pass } = await open(context)
      await queue.send({ body: 'a' })
      await queue.acknowledge(await takeOne(queue))
      await pass(visibilitySeconds + 1)
      assert.deepEqual(await take(queue), [])
    })

    test('extend with 0 gives a message back at once', async (context) => {
      const { queue } = await open(context)
      await queue.send({ body: 'a' })
      const first = await takeOne(queue)
      await queue.extend(first, 0)
      const second = await takeOne(queue)
      assert.deepEqual([second.id, second.receiveCount], [first.id, 2])
    })

    test('extend hides a message for so long from now', async (context) => {
      const { queue, pass } = await open(context)
      await queue.send({ body: 'a' })
      const message = await takeOne(queue)
      await pass(visibilitySeconds - 5)
      await queue.extend(message, 60)
      await pass(50)
      assert.deepEqual(await take(queue), [])
      await pass(11)
      assert.equal((await takeOne(queue)).id, message.id)
    })

    test('a long poll brings a message that is sent meanwhile', async (context) => {
      const { queue } = await open(context)
      const poll = take(queue, 20)
      await queue.send({ body: 'a' })
      assert.deepEqual(
        (await poll).map(({ body }) => body),
        ['a'],
      )
    })

    test('a long poll brings a message that is given back meanwhile', async (context) => {
      const { queue } = await open(context)
      await queue.send({ body: 'a' })
      const message = await takeOne(queue)
      const poll = take(queue, 20)
      await queue.extend(message, 0)
      assert.deepEqual(
        (await poll).map(({ id }) => id),
        [message.id],
      )
    })

    test('a poll of an empty queue ends with nothing', async (context) => {
      const { queue } = await open(context)
      assert.deepEqual(await take(queue), [])
      assert.deepEqual(await take(queue, 1), [])
    })

    test('a long poll ends with nothing when its signal aborts, and takes no message along', async (context) => {
      const { queue } = await open(context)
      const controller = new AbortController()
      const poll = queue.receive({ max: 1, waitSeconds: 20, visibilitySeconds, signal: controller.signal })
      controller.abort()
      assert.deepEqual(await poll, [])
      assert.deepEqual(
        await queue.receive({ max: 1, waitSeconds: 20, visibilitySeconds, signal: AbortSignal.abort() }),
        [],
      )
      await queue.send({ body: 'a' })
      assert.equal((await takeOne(queue)).body, 'a')
    })

    test('hands out at most as many as asked for, each to one receiver', async (context) => {
      const { queue } = await open(context)
      const bodies = Array.from({ length: 30 }, (_, index) => `message ${index}`)
      await Promise.all(bodies.map((body) => queue.send({ body })))
      const three = await queue.receive({ max: 3, waitSeconds: 0, visibilitySeconds, signal: never })
      assert.ok(three.length >= 1 && three.length <= 3)
      const others = await Promise.all([takeMany(queue, 1), takeMany(queue, 1)])
      const taken = [...three, ...others.flat()]
      if (taken.length < bodies.length) taken.push(...(await takeMany(queue, bodies.length - taken.length)))
      assert.deepEqual(taken.map(({ body }) => body).sort(), bodies.sort())
    })

    test('many acknowledgements at once settle each by itself', async (context) => {
      const { queue, pass } = await open(context)
      const bodies = Array.from({ length: 25 }, (_, index) => `message ${index}`)
      await Promise.all(bodies.map((body) => queue.send({ body })))
      const messages = await takeMany(queue, bodies.length)
      const bad = { ...strayed, receipt: 'not a receipt' }
      const ends = await Promise.allSettled(
        [...messages.slice(0, 12), bad, ...messages.slice(12, 24)].map(queue.acknowledge),
      )
      const rejected = ends.flatMap((end, index) => (end.status === 'rejected' ? [index] : []))
      // A store may confirm a receipt that it does not know; nobody else may be refused for it.
      assert.ok(
        rejected.every((index) => index === 12),
        `rejected: ${rejected.join(', ')}`,
      )
      await pass(visibilitySeconds + 1)
      assert.equal((await takeOne(queue)).id, messages[24]?.id)
    })

    test('many extensions at once settle each by itself, each with its own time', async (context) => {
      const { queue, pass } = await open(context)
      const bodies = Array.from({ length: 24 }, (_, index) => `message ${index}`)
      await Promise.all(bodies.map((body) => queue.send({ body })))
      const messages = await takeMany(queue, bodies.length)
      const bad = { ...strayed, receipt: 'not a receipt' }
      const all = [...messages.slice(0, 12), bad, ...messages.slice(12)]
      const ends = await Promise.allSettled(all.map((message, index) => queue.extend(message, index < 12 ? 600 : 60)))
      const rejected = ends.flatMap((end, index) => (end.status === 'rejected' ? [index] : []))
      assert.ok(
        rejected.every((index) => index === 12),
        `rejected: ${rejected.join(', ')}`,
      )
      await pass(visibilitySeconds + 10)
      assert.deepEqual(await take(queue), [])
      await pass(30)
      const back = await takeMany(queue, 12)
      assert.deepEqual(
        back.map(({ id }) => id).sort(),
        messages
          .slice(12)
          .map(({ id }) => id)
          .sort(),
      )
    })

    test('of many messages sent at once only the impossible one is refused', async (context) => {
      const { queue } = await open(context)
      const bodies = ['a', 'b', '', 'c', 'd\ufffe', 'e']
      const ends = await Promise.allSettled(bodies.map((body) => queue.send({ body })))
      assert.deepEqual(
        ends.map(({ status }) => status),
        ['fulfilled', 'fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled'],
      )
      assert.deepEqual((await takeMany(queue, 4)).map(({ body }) => body).sort(), ['a', 'b', 'c', 'e'])
    })

    test('the receipt of an earlier time neither hides nor keeps what is in hand by a later one', async (context) => {
      const { queue, pass } = await open(context)
      await queue.send({ body: 'a' })
      const first = await takeOne(queue)
      await pass(visibilitySeconds + 1)
      const second = await takeOne(queue)
      await Promise.allSettled([queue.extend(first, 0)])
      await queue.acknowledge(second)
      await pass(visibilitySeconds + 1)
      assert.deepEqual(await take(queue), [])
    })

    test('a second acknowledgement of the same receipt does no harm', async (context) => {
      const { queue } = await open(context)
      await queue.send({ body: 'a' })
      const message = await takeOne(queue)
      await queue.acknowledge(message)
      await Promise.allSettled([queue.acknowledge(message)])
      await queue.send({ body: 'b' })
      assert.equal((await takeOne(queue)).body, 'b')
    })

    test('takes a message of 1 MiB', async (context) => {
      const { queue } = await open(context)
      const body = 'x'.repeat(1_048_576)
      await queue.send({ body })
      assert.ok((await takeOne(queue)).body === body)
    })

    for (const [what, message] of Object.entries(impossible)) {
      test(`refuses ${what}`, async (context) => {
        const { queue } = await open(context)
        await assert.rejects(queue.send(message), RefusalError)
        assert.deepEqual(await take(queue), [])
      })
    }

    test('answers a ping', async (context) => {
      const { queue } = await open(context)
      await queue.ping()
      await queue.ping(AbortSignal.timeout(10_000))
    })

    for (const [call, make] of Object.entries(calls)) {
      test(`${call} on a queue that does not exist is a fault of the set-up`, async (context) => {
        const { misplaced } = await open(context)
        await assert.rejects(make(misplaced), SetupError)
      })

      test(`${call} while nothing answers is an outage`, async (context) => {
        const { away } = await open(context)
        await assert.rejects(make(away), OutageError)
      })
    }
  })
}
