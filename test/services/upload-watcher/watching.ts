import type { TestContext } from 'node:test'

import { gate as openGate } from '#shared/runtime/gate.ts'
import { watchUploads, type WatchDeps } from '../../../services/upload-watcher/watch.ts'
import type { Around } from '../../support/fakes/intercept.ts'
import { messageDeps, type World } from './world.ts'

type Changes = Partial<Pick<WatchDeps, 'receivers' | 'maxInHand' | 'metrics' | 'rejectedAction' | 'visibilitySeconds'>>
type Options = Changes & { around?: Around }

/** A watcher at work in a world. `ended` settles as it does. */
export const startWatching = (world: World, { around, ...changes }: Options = {}) => {
  const { deps: usual, told, lines } = messageDeps(world, around)
  const deps = { ...usual, receivers: 2, maxInHand: 100, ...changes }
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
