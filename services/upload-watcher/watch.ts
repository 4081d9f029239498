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
/** Some queues answer that they are empty without waiting as they were asked to. */
const leastPollMs = 1_000
/** How long one message after an outage keeps the next waiting: it may be slow by itself. */
const trialMs = 1_000
/**
 * A poll that began so shortly before a stop or an outage may be handing out messages just now: they would stay hidden, and
 * wait for others as long as after a crash. One that has waited longer is ended at once.
 */
const handsOutMs = 500
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
  // After an outage each receiver takes messages one by one, until one has come to its end: an outage that the probes can't
  // see costs a few messages a receipt each time, and not all.
  let proven = true

  /** Those under way, each with what ends it. */
  const polls = new Map<Promise<QueueMessage[]>, () => void>()
  const endPolls = async () => {
    for (const end of polls.values()) end()
    await Promise.allSettled(polls.keys())
  }
  stop.addEventListener('abort', () => void endPolls(), { once: true })

  const poll = async (signal: AbortSignal, end: () => void) => {
    const { visibilitySeconds } = deps
    const max = proven ? batch : 1
    const answer = uploads.receive({ max, waitSeconds: longPollSeconds, visibilitySeconds, signal })
    polls.set(answer, end)
    try {
      return await answer
    } finally {
      polls.delete(answer)
    }
  }

  const receive = async () => {
    const startedAt = performance.now()
    const left = (ms: number) => Math.max(0, startedAt + ms - performance.now())
    const late = new AbortController()
    const signal = AbortSignal.any([late.signal, deadline, broken.signal])
    try {
      const messages = await poll(signal, () => setTimeout(() => late.abort(), left(handsOutMs)).unref())
      if (messages.length === 0) await pause(left(leastPollMs), AbortSignal.any([halt, signal]))
      return messages
    } catch (error) {
      await giveWay(error)
      return []
    }
  }

  /** After an outage it waits for the polls: one that went on would receive again what is given back now. */
  const giveWay = async (error: unknown, message?: QueueMessage) => {
    if (error instanceof OutageError) {
      proven = false
      gate.shut(error.service, error)
      await endPolls()
    } else if (error instanceof SetupError) broken.abort(error)
    else {
      log.error({ err: error, message_id: message?.id }, 'unexpected failure')
      await pause(1000, halt)
    }
  }

  const settle = async (message: QueueMessage) => {
    try {
      await settleMessage(deps, message, deadline)
      proven = true
    } catch (error) {
      if (!deadline.aborted) await giveWay(error, message)
      await release(message, error instanceof OutageError || deadline.aborted ? 0 : returnSeconds)
      metrics.released(message)
    } finally {
      hands.give()
    }
  }

  const release = async (message: QueueMessage, visibilitySeconds: number) => {
    const inTime = AbortSignal.any([halt, AbortSignal.timeout(deps.visibilitySeconds * 1000)])
    try {
      await untilBack(() => uploads.extend(message, visibilitySeconds), inTime)
    } catch (error) {
      log.warn({ err: error, message_id: message.id }, 'could not give a message back: it returns by itself')
    }
  }

  /** Does again after an outage what that kept from being done; throws it when the signal aborts first. */
  const untilBack = async (work: () => Promise<void>, signal: AbortSignal) => {
    for (;;) {
      try {
        await work()
        return
      } catch (error) {
        if (!(error instanceof OutageError)) throw error
        gate.shut(error.service, error)
        if (!(await gate.opened(signal))) throw error
      }
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
      const messages = (await gate.opened(halt)) ? await receive() : []
      const settling = messages.map(settle)
      for (let spare = messages.length; spare < places; spare++) hands.give()
      if (!proven) await Promise.race([Promise.all(settling), pause(trialMs, halt)])
    }
  }

  await Promise.all(Array.from({ length: deps.receivers }, receiveLoop))
  await Promise.race([hands.idle(), aborted(deadline)])
  if (broken.signal.aborted) throw broken.signal.reason
}
