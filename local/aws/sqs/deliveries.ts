import type { Database } from '../database.ts'
import { numberAttribute } from './attributes.ts'
import { invalidParameter, sqsError } from './errors.ts'
import type { Queue } from './queues.ts'
import type { Receipt } from './receipts.ts'

export type MessageRow = {
  id: number
  message_id: string
  body: string
  attributes: string
  group_id: string | null
  deduplication_id: string | null
  dead_letter_source: string | null
  sent_ms: number
  first_received_ms: number | null
  receive_count: number
}
export type QueueDepth = { visible: number; inFlight: number; delayed: number }

/** The life of a message between its sending and its deletion. Each call is one transaction. */
export type Deliveries = {
  /** Hides up to `count` messages for `visibilitySeconds` and gives them; moves those received too often to the dead letters. */
  take: (queue: Queue, count: number, visibilitySeconds: number) => MessageRow[]
  /** Deletes what was received; a receipt that a later receive has replaced deletes nothing. */
  acknowledge: (queue: Queue, receipt: Receipt) => void
  /** @throws AwsError when the message is gone, not in flight, or received again */
  changeVisibility: (queue: Queue, receipt: Receipt, seconds: number) => void
  /** When the next hidden message can become visible; undefined when none is hidden. */
  nextVisibleMs: (queue: Queue) => number | undefined
  depth: (queue: Queue) => QueueDepth
}

const maxVisibilityMs = 43_200_000

// A FIFO group waits while one of its messages is in flight, or an earlier one is delayed.
const takeFifo = `SELECT * FROM messages AS m INDEXED BY messages_order WHERE queue = ?1 AND visible_ms <= ?2 AND NOT EXISTS (
    SELECT 1 FROM messages AS other WHERE other.queue = ?1 AND other.group_id = m.group_id AND other.visible_ms > ?2
      AND (other.receive_count > 0 OR other.id < m.id)
  ) ORDER BY id LIMIT ?3`
const takeStandard = 'SELECT * FROM messages WHERE queue = ?1 AND visible_ms <= ?2 ORDER BY visible_ms, id LIMIT ?3'

export const openDeliveries = (database: Database, now: () => number): Deliveries => {
  const selectFifo = database.prepare<MessageRow>(takeFifo)
  const selectStandard = database.prepare<MessageRow>(takeStandard)
  const expire = database.prepare('DELETE FROM messages WHERE queue = ? AND sent_ms <= ?')
  const bury = database.prepare('UPDATE messages SET queue = ?, dead_letter_source = ?, visible_ms = ? WHERE id = ?')
  const hide = database.prepare<MessageRow>(
    `UPDATE messages SET visible_ms = ?1, received_ms = ?2, first_received_ms = coalesce(first_received_ms, ?2),
       receive_count = receive_count + 1 WHERE id = ?3 RETURNING *`,
  )
  const remove = database.prepare('DELETE FROM messages WHERE id = ? AND queue = ? AND receive_count = ?')
  const find = database.prepare<{ visible_ms: number; received_ms: number; receive_count: number }>(
    'SELECT visible_ms, received_ms, receive_count FROM messages WHERE id = ? AND queue = ?',
  )
  const isQueue = database.prepare('SELECT 1 FROM queues WHERE name = ?')
  const setVisible = database.prepare('UPDATE messages SET visible_ms = ? WHERE id = ?')
  const next = database.prepare<{ ms: number | null }>(
    'SELECT min(visible_ms) AS ms FROM messages WHERE queue = ? AND visible_ms > ?',
  )
  const count = database.prepare<{ visible: number; inFlight: number; delayed: number }>(
    `SELECT count(*) FILTER (WHERE visible_ms <= ?1) AS visible,
       count(*) FILTER (WHERE visible_ms > ?1 AND receive_count > 0) AS inFlight,
       count(*) FILTER (WHERE visible_ms > ?1 AND receive_count = 0) AS delayed FROM messages WHERE queue = ?2`,
  )

  const dropExpired = (queue: Queue): void => {
    expire.run(queue.name, now() - numberAttribute(queue.attributes, 'MessageRetentionPeriod') * 1000)
  }
  const selectReceivable = (queue: Queue, limit: number): MessageRow[] => {
    const select = queue.isFifo ? selectFifo : selectStandard
    for (;;) {
      const rows = select.all(queue.name, now(), limit)
      const redrive = queue.redrive && isQueue.get(queue.redrive.deadLetterQueue) ? queue.redrive : undefined
      const poison = redrive ? rows.filter(({ receive_count }) => receive_count >= redrive.maxReceiveCount) : []
      if (!redrive || poison.length === 0) return rows
      for (const { id } of poison) bury.run(redrive.deadLetterQueue, queue.arn, now(), id)
    }
  }

  return {
    take: (queue, limit, visibilitySeconds) =>
      database.transaction(() => {
        dropExpired(queue)
        return selectReceivable(queue, limit).flatMap(({ id }) => hide.all(now() + visibilitySeconds * 1000, now(), id))
      }),
    acknowledge: (queue, { id, receiveCount }) => void remove.run(id, queue.name, receiveCount),
    changeVisibility: (queue, { id, receiveCount }, seconds) =>
      database.transaction(() => {
        const row = find.get(id, queue.name)
        if (!row || row.receive_count !== receiveCount)
          throw invalidParameter(
            'Value for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.',
          )
        if (row.visible_ms <= now()) throw sqsError('MessageNotInflight', 'The message referred to is not in flight.')
        const visibleMs = now() + seconds * 1000
        if (visibleMs - row.received_ms > maxVisibilityMs)
          throw invalidParameter('Total VisibilityTimeout for the message is beyond the limit [43200 seconds]')
        setVisible.run(visibleMs, id)
      }),
    nextVisibleMs: (queue) => next.get(queue.name, now())?.ms ?? undefined,
    depth: (queue) => {
      dropExpired(queue)
      return { ...(count.get(now(), queue.name) ?? { visible: 0, inFlight: 0, delayed: 0 }) }
    },
  }
}
