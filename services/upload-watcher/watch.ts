import { OutageError, SetupError } from '#shared/ports/failures.ts'
import type { QueueMessage } from '#shared/ports/message-queue.ts'
import { pause } from '#shared/runtime/backoff.ts'
import type { Gate } from '#shared/runtime/gate.ts'
import { aborted, type Signals } from '#shared/runtime/lifetime.ts'
import { limit } from '#shared/runtime/limit.ts'

import { settleMessage, type MessageDeps } from './message.ts'

export type WatchDeps = MessageDeps & {
  gate: Gate
  receivers: number
  /** At least 10 per receiver: each waits for places for a whole batch. */
  maxInHand: number
}

const batch = 10
const longPollSeconds = 20
/** A message whose failure nobody foresaw comes back after this, instead of at once. */
const returnSeconds = 10

/**
 * Consumes the uploads queue. Several receives are under way at once, at most `maxInHand` messages are in hand, and each
 * message ends by itself: a slow one holds up nobody. During an outage nothing is received, and what is in hand goes back.
 * Resolves after `stop`, when all in hand is settled or the deadline has passed; rejects when the set-up is wrong.
 */
export const watchUploads = async (deps: WatchDeps, { stop, deadline }: Signals): Promise<void> => {
  const { uploads, gate, log, metrics } = deps
  const hands = limit(deps.maxInHand)
  const broken = new AbortController()
  const halt = AbortSignal.any([stop, broken.signal])
  let outage = new AbortController()

  const receive = async () => {
    const options = {
      max: batch,
      waitSeconds: longPollSeconds,
      visibilitySeconds: deps.visibilitySeconds,
      signal: AbortSignal.any([halt, outage.signal]),
    }
    try {
      return await uploads.receive(options)
    } catch (error) {
      await giveWay(error)
      return []
    }
  }

  const giveWay = async (error: unknown) => {
    if (error instanceof OutageError) {
      gate.shut(error.service, error)
      endPolls(error)
    } else if (error instanceof SetupError) broken.abort(error)
    else {
      log.error({ err: error }, 'unexpected failure')
      await pause(1000, halt)
    }
  }

  /** A poll that went on would at once receive again what an outage makes us give back. */
  const endPolls = (reason: Error) => {
    outage.abort(reason)
    outage = new AbortController()
  }

  const settle = async (message: QueueMessage) => {
    try {
      await settleMessage(deps, message, deadline)
    } catch (error) {
      if (!deadline.aborted) await giveWay(error)
      await release(message, error instanceof OutageError || deadline.aborted ? 0 : returnSeconds)
      metrics.released(message)
    } finally {
      hands.give()
    }
  }

  const release = async (message: QueueMessage, visibilitySeconds: number) => {
    try {
      await uploads.extend(message, visibilitySeconds)
    } catch (error) {
      log.warn({ err: error, message_id: message.id }, 'could not give a message back: it returns by itself')
    }
  }

  const takeBatch = async () => {
    let taken = 0
    while (taken < batch && (await hands.take(halt))) taken++
    return taken
  }

  const receiveLoop = async () => {
    while (!halt.aborted) {
      const places = await takeBatch()
      const messages = places === batch && (await gate.opened(halt)) ? await receive() : []
      for (const message of messages) void settle(message)
      for (let spare = messages.length; spare < places; spare++) hands.give()
    }
  }

  await Promise.all(Array.from({ length: deps.receivers }, receiveLoop))
  await Promise.race([hands.idle(), aborted(deadline)])
  if (broken.signal.aborted) throw broken.signal.reason
}
