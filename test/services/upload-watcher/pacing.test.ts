import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'

import { RefusalError } from '#shared/ports/failures.ts'
import type { ReceiveOptions } from '#shared/ports/message-queue.ts'
import { aborted } from '#shared/runtime/lifetime.ts'
import { settleMessage } from '../../../services/upload-watcher/message.ts'
import { goodPhoto } from '../../support/images.ts'
import { keyOf, notificationOf, s3Record } from './notifications.ts'
import { watch } from './watching.ts'
import { messageDeps, openWorld, takeMessage } from './world.ts'

/** Lets all go on that waits for no timer. */
const turns = async () => {
  for (let turn = 0; turn < 50; turn++) await nextTurn()
}

test('a record that fails by itself is tried again after longer and longer waits', async (context) => {
  const world = openWorld()
  const key = keyOf('scan', 1)
  world.images.upload({ key, bytes: await goodPhoto('image/png'), contentType: 'image/png' })
  world.images.faults.fail('readStart', new RefusalError('S3: reading: AccessDenied'), 5)
  const message = await takeMessage(world, notificationOf(s3Record(key)))
  context.mock.timers.enable({ apis: ['setTimeout'] })
  const { deps, told } = messageDeps(world)
  const settled = settleMessage(deps, message, new AbortController().signal)
  const tries = () => world.images.faults.calls.get('readStart')
  for (const [retry, leastMs] of [100, 200, 400, 800].entries()) {
    await turns()
    assert.equal(tries(), retry + 1)
    context.mock.timers.tick(leastMs - 1)
    await turns()
    assert.equal(tries(), retry + 1)
    context.mock.timers.tick(leastMs + 1)
  }
  await settled
  assert.deepEqual(told.outcomes, ['quarantined failed'])
})

test('a queue that refuses each receive is asked once a second by each receiver', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] })
  let asked = 0
  const receive = async () => {
    asked++
    await nextTurn()
    throw new RefusalError('what was asked makes no sense')
  }
  watch(context, openWorld(), { queue: { receive } })
  for (const [ms, expected] of [
    [0, 2],
    [999, 2],
    [1, 4],
  ] as const) {
    context.mock.timers.tick(ms)
    await turns()
    assert.equal(asked, expected)
  }
})

test('a poll that has waited long is ended at once, and Node has nothing to warn of', async (context) => {
  const warnings: Error[] = []
  const note = (warning: Error) => void warnings.push(warning)
  process.on('warning', note)
  context.after(() => process.off('warning', note))
  let aheadMs = 0
  const now = performance.now.bind(performance)
  context.mock.method(performance, 'now', () => now() + aheadMs)
  const begun = Promise.withResolvers<undefined>()
  const receive = async ({ signal }: ReceiveOptions) => {
    begun.resolve(undefined)
    await aborted(signal)
    return []
  }
  const { stop, ended } = watch(context, openWorld(), { receivers: 1, queue: { receive } })
  await begun.promise
  aheadMs = 10_000
  stop()
  await ended
  await nextTurn()
  assert.deepEqual(warnings, [])
})
