import { openLog, type Log } from '#shared/runtime/log.ts'
import type { SettleDeps } from '../../../services/upload-watcher/settle.ts'
import type { MessageDeps } from '../../../services/upload-watcher/message.ts'
import type { WatcherMetrics } from '../../../services/upload-watcher/metrics.ts'
import { fakeEventLog } from '../../support/fakes/event-log.ts'
import { intercept, type Around } from '../../support/fakes/intercept.ts'
import { fakeMessageQueue } from '../../support/fakes/message-queue.ts'
import { fakeObjectStore } from '../../support/fakes/object-store.ts'
import { bucket } from './notifications.ts'

/** Everything that the watcher talks to. It outlives a crash of the watcher. */
export const openWorld = () => ({
  images: fakeObjectStore(),
  states: fakeObjectStore(),
  events: fakeEventLog(),
  uploads: fakeMessageQueue(),
  quarantine: fakeMessageQueue(),
})
export type World = ReturnType<typeof openWorld>

export const place = { bucket, cdnBaseUrl: 'https://cdn.example.com' }

/** The world as a watcher sees it; `around` sees each of its calls. */
export const connect = (world: World, around: Around = (_, proceed) => proceed()): SettleDeps & Queues => ({
  place,
  origin: {},
  rejectedAction: 'keep',
  metrics: openTold().metrics,
  images: intercept('images', world.images.store, around),
  states: intercept('states', world.states.store, around),
  events: intercept('events', world.events.log, around),
  uploads: intercept('uploads', world.uploads.queue, around),
  quarantine: intercept('quarantine', world.quarantine.queue, around),
})
type Queues = Pick<MessageDeps, 'uploads' | 'quarantine'>

export type Told = {
  received: number
  acknowledged: number
  released: number
  outcomes: string[]
  gate: boolean[]
  retries: number
  beats: string[]
  /** What published events say of when something happened. */
  published: (Date | undefined)[]
}

/** Metrics that a test can read. */
export const openTold = (): { told: Told; metrics: WatcherMetrics } => {
  const told: Told = {
    received: 0,
    acknowledged: 0,
    released: 0,
    outcomes: [],
    gate: [],
    retries: 0,
    beats: [],
    published: [],
  }
  const metrics: WatcherMetrics = {
    received: () => (told.received += 1),
    released: () => (told.released += 1),
    settled: (_, all) => {
      told.acknowledged += 1
      for (const { outcome, reason } of all) told.outcomes.push(reason ? `${outcome} ${reason}` : outcome)
    },
    published: (eventTime) => void told.published.push(eventTime),
    retried: () => (told.retries += 1),
    beat: (result) => void told.beats.push(result),
    gate: (open) => void told.gate.push(open),
  }
  return { told, metrics }
}

/** A log whose lines a test can read. */
export const openLines = (): { log: Log; lines: Record<string, unknown>[] } => {
  const lines: Record<string, unknown>[] = []
  // What the log writes is JSON of its own making.
  const write = (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>)
  return { log: openLog({ name: 'test', destination: { write } }), lines }
}

/** All that settling one message needs. */
export const messageDeps = (world: World, around?: Around) => {
  const { told, metrics } = openTold()
  const { log, lines } = openLines()
  return { deps: { ...connect(world, around), log, metrics, visibilitySeconds: 30 }, told, lines }
}

export const eventsOf = (world: World) =>
  world.events.records.map(({ topic, key, value }) => {
    // Our own event, which other tests check against its schema.
    const { id, data } = JSON.parse(value) as { id: string; data: Record<string, unknown> }
    return { topic, key, id, data }
  })

/** The message whose body it is, in hand. */
export const takeMessage = async (world: World, body: string) => {
  await world.uploads.queue.send({ body })
  const signal = new AbortController().signal
  const [message] = await world.uploads.queue.receive({ max: 1, waitSeconds: 0, visibilitySeconds: 30, signal })
  if (!message) throw new Error('the queue is empty')
  return message
}
