import type { TestContext } from 'node:test'

import type { MessageQueue, QueueMessage } from '#shared/ports/message-queue.ts'
import { gate as openGate } from '#shared/runtime/gate.ts'
import { watchUploads, type WatchDeps } from '../../../services/upload-watcher/watch.ts'
import { eventually } from '../../support/eventually.ts'
import type { Faults } from '../../support/fakes/faults.ts'
import type { Around } from '../../support/fakes/intercept.ts'
import { goodPhoto } from '../../support/images.ts'
import { keyOf, notificationOf, s3Record } from './notifications.ts'
import { eventsOf, messageDeps, type World } from './world.ts'

type Changes = Partial<Pick<WatchDeps, 'receivers' | 'maxInHand' | 'metrics' | 'rejectedAction' | 'visibilitySeconds'>>
/** `queue` replaces methods of the uploads queue. */
type Options = Changes & { around?: Around; queue?: Partial<MessageQueue> }

/** A watcher at work in a world. `ended` settles as it does. */
export const startWatching = (world: World, { around, queue, ...changes }: Options = {}) => {
  const { deps: usual, told, lines } = messageDeps(world, around)
  const uploads = { ...usual.uploads, ...queue }
  const deps = { ...usual, uploads, receivers: 2, maxInHand: 100, ...changes }
  const [stop, deadline] = [new AbortController(), new AbortController()]
  const probes = {
    S3: async () => {
      await world.images.store.ping()
      await world.states.store.ping()
    },
    SQS: async () => {
      await world.uploads.queue.ping()
      await world.quarantine.queue.ping()
    },
    'the event log': () => world.events.log.ping(),
  }
  const gate = openGate({
    probes,
    log: deps.log,
    signal: stop.signal,
    delayMs: () => 1,
    onChange: deps.metrics.gate,
  })
  const signals = { stop: stop.signal, deadline: deadline.signal }
  const ended = watchUploads({ ...deps, gate }, signals)
  ended.catch(() => undefined)
  return { told, lines, ended, stop: () => stop.abort(), deadline: () => deadline.abort() }
}

/** The same, ended with the test. */
export const watch = (context: TestContext, world: World, options: Options = {}) => {
  const watching = startWatching(world, options)
  context.after(async () => {
    watching.stop()
    watching.deadline()
    await Promise.allSettled([watching.ended])
  })
  return watching
}

export const photo = await goodPhoto('image/png')

/** So many uploads with a message each; a record of a strange key in each, when `strange`. */
export const upload = async (world: World, count: number, { from = 0, strange = false } = {}) => {
  for (let index = from; index < from + count; index++) {
    const key = keyOf('scan', index)
    world.images.upload({ key, bytes: photo, contentType: 'image/png' })
    const records = strange ? [s3Record(key), s3Record('elsewhere')] : [s3Record(key)]
    await world.uploads.queue.send({ body: notificationOf(...records) })
  }
}
export const emptied = (world: World) => eventually(() => world.uploads.messages.length === 0, 'the queue to be empty')
export const published = (world: World) => new Set(eventsOf(world).map(({ key }) => key))
export const messageOf = (index: number, key: string): QueueMessage => ({
  id: String(index),
  receipt: String(index),
  body: notificationOf(s3Record(key)),
  attributes: {},
  receiveCount: 1,
  sentAt: new Date(),
})
export const callsOf = ({ faults }: { faults: Faults }, call: string) => faults.calls.get(call) ?? 0
