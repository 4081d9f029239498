import { randomUUID } from 'node:crypto'

import { countRedrive, readRedriveCount } from '#shared/domain/redrive.ts'
import type { MessageQueue, QueueMessage } from '#shared/ports/message-queue.ts'

import type { Letter, LetterSource } from './redrive.ts'

export type MessageLetter = Letter & { message: QueueMessage }

/** Long enough to read as many messages as a queue lets be in hand at once (120,000). */
const visibilitySeconds = 600

/**
 * Messages that were given up. Reading takes them in hand, and gives back at its end those that were not put back. A FIFO
 * queue hands out no message of a group while it holds back an earlier one.
 */
export const queueLetters = (
  { from, to }: { from: MessageQueue; to: MessageQueue },
  signal: AbortSignal,
): LetterSource<MessageLetter> => {
  const inHand = new Map<string, QueueMessage>()
  const seen = new Set<string>()

  const release = async () => {
    // One that can't be given back comes back by itself when its visibility ends.
    await Promise.allSettled([...inHand.values()].map((message) => from.extend(message, 0)))
  }
  const read = async function* () {
    const startedAt = new Date()
    try {
      for (;;) {
        const messages = await from.receive({ max: 10, waitSeconds: 1, visibilitySeconds, signal })
        if (messages.length === 0) return
        for (const message of messages) inHand.set(message.id, message)
        // What came back since the run began has had its turn.
        const fresh = messages.filter(({ id, sentAt }) => !seen.has(id) && sentAt <= startedAt)
        for (const { id } of fresh) seen.add(id)
        yield fresh.map(toLetter)
      }
    } finally {
      await release()
    }
  }
  const putBack = async (letters: readonly MessageLetter[]) => {
    for (const { message } of letters) {
      await to.send(restoreMessage(message))
      await from.acknowledge(message)
      inHand.delete(message.id)
    }
  }
  return { read, putBack }
}

const toLetter = (message: QueueMessage): MessageLetter => ({
  key: findKey(message.body) ?? `message ${message.id}`,
  reason: message.attributes['reason'] ?? 'received too often without an end; no reason was kept',
  since: message.sentAt,
  redriveCount: readRedriveCount(message.attributes),
  message,
})

/** Of a notification and of a job alike, also when the body can't be parsed. */
const findKey = (body: string) => /"key"\s*:\s*"([^"]{1,300})"/.exec(body)?.[1]

/** A FIFO queue would drop a message, with a success, whose deduplication id it knows from the last 5 minutes. */
const restoreMessage = ({ body, attributes, group }: QueueMessage) => ({
  body,
  attributes: countRedrive(attributes),
  ...(group === undefined ? {} : { fifo: { group, deduplicationId: randomUUID() } }),
})
