import type { MessageQueue, QueueMessage } from '#shared/ports/message-queue.ts'
import type { Log } from '#shared/runtime/log.ts'

import type { WatcherMetrics } from './metrics.ts'

export type HeartbeatDeps = {
  uploads: Pick<MessageQueue, 'extend'>
  log: Log
  metrics: Pick<WatcherMetrics, 'beat'>
  /** How long a message stays hidden; a heartbeat renews it while the message is in hand. */
  visibilitySeconds: number
}

/**
 * Renews the message's hiding until stopped; a beat that fails is no more than a risk of a repeat. Stopping waits for
 * all beats that are under way (a slow queue may have several): none must land after a release.
 */
export const startHeartbeat = (deps: HeartbeatDeps, message: QueueMessage): (() => Promise<void>) => {
  const underWay = new Set<Promise<void>>()
  const timer = setInterval(
    () => {
      const one = beat(deps, message).finally(() => underWay.delete(one))
      underWay.add(one)
    },
    (deps.visibilitySeconds * 1000) / 3,
  )
  return async () => {
    clearInterval(timer)
    await Promise.all(underWay)
  }
}

const beat = async ({ uploads, log, metrics, visibilitySeconds }: HeartbeatDeps, message: QueueMessage) => {
  try {
    await uploads.extend(message, visibilitySeconds)
    metrics.beat('done')
  } catch (error) {
    metrics.beat('failed')
    log.warn({ err: error, message_id: message.id }, 'could not keep a message hidden')
  }
}
