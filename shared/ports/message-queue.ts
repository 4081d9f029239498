/** A message in hand: hidden from other receivers until its visibility ends. */
export type QueueMessage = {
  id: string
  /** Names this one receipt; a later receipt of the same message has another. */
  receipt: string
  body: string
  attributes: Readonly<Record<string, string>>
  /** How often it was handed out, this time included; releases and crashes count too. */
  receiveCount: number
  sentAt: Date
  /** Of a FIFO queue: its messages come one after the other. */
  group?: string
}

export type NewMessage = {
  body: string
  attributes?: Readonly<Record<string, string>>
  /** A FIFO queue needs it and a standard queue refuses it; it drops what has a deduplication id of the last 5 minutes. */
  fifo?: { group: string; deduplicationId: string }
}

export type ReceiveOptions = {
  /** 1 to 10. */
  max: number
  /** How long to wait for a first message, 0 to 20. */
  waitSeconds: number
  visibilitySeconds: number
  signal: AbortSignal
}

/**
 * A queue with receipts (Amazon SQS). Promises that an adapter keeps (test/contract/message-queue.ts):
 * - A message comes again, under a new receipt, unless it was acknowledged before its visibility ended.
 * - Every call that names many messages settles each by itself: one that failed rejects alone.
 * - `receive` resolves with [] when the wait ends or `signal` aborts; a message that was on its way at that moment comes
 *   again when its visibility ends.
 *
 * All methods throw OutageError when the queue is away, SetupError when it does not exist or may not be used.
 */
export type MessageQueue = {
  receive: (options: ReceiveOptions) => Promise<QueueMessage[]>
  /** Deletes it. Resolves only when the queue has confirmed; an expired receipt counts as confirmed where the queue says so. */
  acknowledge: (message: QueueMessage) => Promise<void>
  /** Hides it for `visibilitySeconds` from now: a heartbeat, or with 0 a release. */
  extend: (message: QueueMessage, visibilitySeconds: number) => Promise<void>
  /** @throws RefusalError when the message is impossible: too large, or with characters that a queue can't hold. */
  send: (message: NewMessage) => Promise<void>
  /** Resolves when the queue answers. */
  ping: (signal?: AbortSignal) => Promise<void>
}
