import type { Database } from '../database.ts'
import { type Call, openCalls } from './calls.ts'
import { openDeliveries } from './deliveries.ts'
import { openMessages } from './messages.ts'
import { accountId, openQueues } from './queues.ts'
import { openReceipts } from './receipts.ts'
import { openWaiting } from './waiting.ts'

export type Sqs = {
  calls: ReadonlyMap<string, Call>
  /** For other services of this account: a standard queue that they may send to, by its ARN. */
  target: (arn: string) => QueueTarget | undefined
}
/** `enqueue` belongs into the caller's transaction, `wake` after its commit. */
export type QueueTarget = { isFifo: boolean; enqueue: (body: string, delayMs?: number) => void; wake: () => void }

export const openSqs = (database: Database, region: string, now: () => number): Sqs => {
  const queues = openQueues(database, region, now)
  const messages = openMessages(database, now)
  const waiting = openWaiting()
  const stores = {
    database,
    queues,
    messages,
    deliveries: openDeliveries(database, now),
    receipts: openReceipts(database),
    waiting,
  }
  const prefix = `arn:aws:sqs:${region}:${accountId}:`
  return {
    calls: openCalls(stores, now),
    target: (arn) => {
      const queue = arn.startsWith(prefix) ? queues.find(arn.slice(prefix.length)) : undefined
      return (
        queue && {
          isFifo: queue.isFifo,
          enqueue: (body, extraDelayMs = 0) => void messages.enqueue(queue, { body, attributes: {}, extraDelayMs }),
          wake: () => waiting.wake(queue.name),
        }
      )
    },
  }
}
