import assert from 'node:assert/strict'
import { test } from 'node:test'

import { OutageError, RefusalError } from '#shared/ports/failures.ts'
import { probeQueues } from '../../../services/upload-watcher/probes.ts'
import { openWorld } from './world.ts'

const never = new AbortController().signal
const probe = ({ uploads, quarantine }: ReturnType<typeof openWorld>) =>
  probeQueues({ uploads: uploads.queue, quarantine: quarantine.queue }, never)

test('SQS is away while the queue answers for itself and takes no deletes', async () => {
  const world = openWorld()
  world.uploads.faults.fail('acknowledge', new OutageError('SQS', 'a test'))
  await assert.rejects(probe(world), OutageError)
})

test('SQS is there when it confirms or refuses the delete of what never was, and loses nothing by it', async () => {
  const world = openWorld()
  await world.uploads.queue.send({ body: 'a message' })
  await probe(world)
  world.uploads.faults.fail('acknowledge', new RefusalError('SQS: ReceiptHandleIsInvalid'))
  await probe(world)
  assert.deepEqual([world.uploads.messages.length, world.uploads.faults.calls.get('acknowledge')], [1, 2])
})

test('a queue that does not answer is asked for no delete', async () => {
  for (const which of ['uploads', 'quarantine'] as const) {
    const world = openWorld()
    world[which].faults.fail('ping', new OutageError('SQS', 'a test'))
    await assert.rejects(probe(world), OutageError)
    assert.equal(world.uploads.faults.calls.get('acknowledge'), undefined)
  }
})
