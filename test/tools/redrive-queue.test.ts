import assert from 'node:assert/strict'
import test from 'node:test'

import { redriveCountName } from '#shared/domain/redrive.ts'
import { OutageError } from '#shared/ports/failures.ts'

import { queueLetters } from '../../tools/support/redrive-queue.ts'
import { redriveLetters, type RedriveOrder } from '../../tools/support/redrive.ts'
import { fakeMessageQueue, type FakeMessageQueue } from '../support/fakes/message-queue.ts'

const never = new AbortController().signal

const openFakes = async (...attributes: Record<string, string>[]) => {
  const [from, to] = [fakeMessageQueue(), fakeMessageQueue()]
  for (const [index, given] of attributes.entries()) {
    await from.queue.send({ body: `body ${index}`, attributes: { reason: 'not ours', ...given } })
  }
  return { from, to }
}

const redrive = (
  { from, to }: { from: FakeMessageQueue; to: FakeMessageQueue },
  order: Partial<RedriveOrder> = {},
  signal = never,
) => {
  const source = queueLetters({ from: from.queue, to: to.queue }, signal)
  return redriveLetters(source, { dryRun: false, limit: Infinity, force: false, ...order })
}

const bodies = ({ messages }: FakeMessageQueue) => messages.map(({ body }) => body).sort()
const visible = async ({ queue }: FakeMessageQueue) =>
  (await queue.receive({ max: 10, waitSeconds: 0, visibilitySeconds: 0, signal: never })).map(({ body }) => body).sort()

test('a message comes back with its attributes and a count, and is gone from where it lay', async () => {
  const fakes = await openFakes({ 'source-message-id': '1' })
  const { redriven } = await redrive(fakes)
  assert.equal(redriven[0]?.reason, 'not ours')
  assert.deepEqual(bodies(fakes.from), [])
  assert.equal(fakes.from.faults.calls.get('extend'), undefined, 'what is gone is not given back')
  assert.deepEqual(
    { ...fakes.to.messages[0]?.attributes },
    { reason: 'not ours', 'source-message-id': '1', [redriveCountName]: '1' },
  )
})

test('a dry run leaves every message where it is, and receivable at once', async () => {
  const fakes = await openFakes({}, {}, {})
  const { redriven } = await redrive(fakes, { dryRun: true })
  assert.equal(redriven[0]?.count, 3)
  assert.deepEqual(bodies(fakes.to), [])
  assert.deepEqual(await visible(fakes.from), ['body 0', 'body 1', 'body 2'])
})

test('a limit takes so many, and leaves the others receivable at once', async () => {
  const fakes = await openFakes({}, {}, {}, {})
  await redrive(fakes, { limit: 1 })
  assert.equal(bodies(fakes.to).length, 1)
  assert.equal((await visible(fakes.from)).length, 3)
})

test('a message that came back three times stays, and --force takes it', async () => {
  const fakes = await openFakes({ [redriveCountName]: '3' }, {})
  const { heldBack } = await redrive(fakes)
  assert.equal(heldBack[0]?.count, 1)
  assert.deepEqual([bodies(fakes.to), await visible(fakes.from)], [['body 1'], ['body 0']])
  await redrive(fakes, { force: true })
  assert.deepEqual(bodies(fakes.to), ['body 0', 'body 1'])
})

test('a message that could not be sent stays where it is, receivable at once, and so do those behind it', async () => {
  const fakes = await openFakes({}, {}, {})
  fakes.to.faults.fail('send', new OutageError('SQS', 'gone'))
  await assert.rejects(redrive(fakes), /SQS is away/)
  assert.deepEqual(bodies(fakes.to), [])
  assert.deepEqual(await visible(fakes.from), ['body 0', 'body 1', 'body 2'])
})

test('a message that was sent and could not be deleted is sent again by the next run, and lost by none', async () => {
  const fakes = await openFakes({}, {})
  fakes.from.faults.fail('acknowledge', new OutageError('SQS', 'gone'))
  await assert.rejects(redrive(fakes), /SQS is away/)
  await redrive(fakes)
  assert.deepEqual(bodies(fakes.to), ['body 0', 'body 0', 'body 1'])
  assert.deepEqual(bodies(fakes.from), [])
})

test('an interrupted run leaves the rest receivable at once', async () => {
  const fakes = await openFakes({}, {})
  await redrive(fakes, {}, AbortSignal.abort())
  assert.deepEqual(await visible(fakes.from), ['body 0', 'body 1'])
})

test('what comes back while a run goes on waits for the next one', async () => {
  const fakes = await openFakes({}, {})
  const send: typeof fakes.to.queue.send = async (message) => {
    fakes.from.pass(1)
    await fakes.from.queue.send(message)
  }
  const source = queueLetters({ from: fakes.from.queue, to: { ...fakes.to.queue, send } }, never)
  const { redriven } = await redriveLetters(source, { dryRun: false, limit: Infinity, force: false })
  assert.equal(redriven[0]?.count, 2)
  assert.deepEqual(await visible(fakes.from), ['body 0', 'body 1'])
})
