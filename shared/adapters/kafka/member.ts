import type { Consumer, EachBatchPayload } from 'kafkajs'

import { OutageError } from '#shared/ports/failures.ts'

import { metadataMaxAgeMs } from './client.ts'
import type { OpenClient } from './client.ts'
import { disconnect } from './disconnect.ts'

/** A member that is silent so long is taken for dead, and its partitions are given to others. */
const sessionTimeoutMs = 10_000
const heartbeatIntervalMs = 1_000
/** How long a member that must join again may let the others wait. */
const rebalanceTimeoutMs = 30_000
/** A request to join may last as long as a rebalance, and some; a member that heard nothing for longer hangs. */
const silenceMs = rebalanceTimeoutMs + 20_000

type Assigned = Readonly<Record<string, readonly number[]>>

/**
 * One kafkajs consumer that joins a group and stays in it until it is closed or fails. kafkajs is not left to restart it,
 * since it can hang while it tries: whoever opened it closes it then, and opens another.
 */
export const openMember = (options: {
  openClient: OpenClient
  group: string
  topics: readonly string[]
  /** How long a broker holds back an answer while there is nothing new; closing waits for it. */
  maxWaitMs: number
  /** Takes a batch, or leaves it to be fetched again; must not throw. */
  onBatch: (payload: EachBatchPayload) => void
  /** The group has given out its partitions anew. */
  onJoin: (assigned: Assigned, consumer: Consumer) => void
  /** The group has answered. */
  onHeard?: () => void
  onFailure: () => void
}) => {
  const { openClient, group, topics, maxWaitMs, onBatch, onJoin, onHeard, onFailure } = options
  const consumer = openClient().consumer({
    groupId: group,
    sessionTimeout: sessionTimeoutMs,
    rebalanceTimeout: rebalanceTimeoutMs,
    heartbeatInterval: heartbeatIntervalMs,
    metadataMaxAge: metadataMaxAgeMs,
    maxWaitTimeInMs: maxWaitMs,
    allowAutoTopicCreation: false,
    retry: { retries: 4, initialRetryTime: 100, maxRetryTime: 1_000, restartOnFailure: () => Promise.resolve(false) },
  })
  let failure: { error: unknown } | undefined
  let isClosed = false
  let heardAt = performance.now()

  const fail = (error: unknown) => {
    failure ??= { error }
    onFailure()
  }
  const hear = () => {
    heardAt = performance.now()
    onHeard?.()
  }
  const eachBatch = async (payload: EachBatchPayload) => {
    if (isClosed) return void payload.pause()
    onBatch(payload)
    // The only throw that leaves a batch: by it kafkajs learns that it has to join again.
    await payload.heartbeat()
  }
  consumer.on(consumer.events.HEARTBEAT, hear)
  consumer.on(consumer.events.CRASH, ({ payload }) => fail(payload.error))
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    // One that was closed while it joined would run on after the joining.
    if (isClosed) return void setImmediate(() => void disconnect(consumer))
    hear()
    onJoin(payload.memberAssignment, consumer)
  })
  const start = async () => {
    await consumer.connect()
    await consumer.subscribe({ topics: [...topics], fromBeginning: true })
    await consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch })
  }
  start().catch(fail)

  return {
    /** @throws why it is of no more use */
    checkLife: (): void => {
      if (failure) throw failure.error
      if (performance.now() - heardAt > silenceMs) throw new OutageError('the event log', 'the group does not answer')
    },
    close: async (): Promise<void> => {
      isClosed = true
      await disconnect(consumer)
    },
  }
}
