import type { Database } from '../database.ts'
import type { Deliveries } from './deliveries.ts'
import type { Messages } from './messages.ts'
import type { Queues } from './queues.ts'
import type { Receipts } from './receipts.ts'
import type { Waiting } from './waiting.ts'

/** What the calls of SQS work on. */
export type SqsStores = {
  database: Database
  queues: Queues
  messages: Messages
  deliveries: Deliveries
  receipts: Receipts
  waiting: Waiting
}
