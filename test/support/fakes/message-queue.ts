import { randomUUID } from 'node:crypto'

import { RefusalError } from '#shared/ports/failures.ts'
import type { MessageQueue, NewMessage, QueueMessage, ReceiveOptions } from '#shared/ports/message-queue.ts'
import { pause } from '#shared/runtime/backoff.ts'

import { openFaults, type Faults } from './faults.ts'

type Stored = Omit<QueueMessage, 'receipt'> & { receipt: string; visibleAtMs: number }

export type FakeMessageQueue = {
  queue: MessageQueue
  faults: Faults
  /** What is in the queue, hidden or not, in the order of sending. */
  readonly messages: readonly Readonly<Stored>[]
  /** Moves the queue's clock. */
  pass: (seconds: number) => void
}

/** A queue with receipts in memory, on a clock of its own. */
export const fakeMessageQueue = (): FakeMessageQueue => {
  const stored = new Map<string, Stored>()
  const faults = openFaults()
  let offsetMs = 0
  let changed = new AbortController()
  const now = () => Date.now() + offsetMs

  const wake = () => {
    changed.abort()
    changed = new AbortController()
  }
  const take = (max: number, visibilitySeconds: number): QueueMessage[] => {
    const visible = [...stored.values()].filter(({ visibleAtMs }) => visibleAtMs <= now()).slice(0, max)
    return visible.map((message) => {
      message.receipt = randomUUID()
      message.receiveCount++
      message.visibleAtMs = now() + visibilitySeconds * 1000
      return { ...message }
    })
  }
  const receive = async ({ max, waitSeconds, visibilitySeconds, signal }: ReceiveOptions) => {
    await faults.strike('receive')
    const untilMs = performance.now() + waitSeconds * 1000
    for (;;) {
      if (signal.aborted) return []
      const messages = take(max, visibilitySeconds)
      const leftMs = untilMs - performance.now()
      if (messages.length > 0 || leftMs <= 0) return messages
      const hiddenMs = Math.min(...[...stored.values()].map(({ visibleAtMs }) => visibleAtMs - now()))
      await pause(Math.max(1, Math.min(leftMs, hiddenMs)), AbortSignal.any([signal, changed.signal]))
    }
  }
  const hide = (message: QueueMessage, seconds: number) => {
    const held = stored.get(message.id)
    if (!held) throw new RefusalError(`the message ${message.id} is not in the queue`)
    // As SQS does: a receipt from before the message was handed out again moves nothing.
    if (held.receipt === message.receipt) held.visibleAtMs = now() + seconds * 1000
    if (seconds === 0) wake()
  }
  const send = ({ body, attributes = {} }: NewMessage) => {
    const problem = findProblem(body, attributes)
    if (problem) throw new RefusalError(problem)
    const id = randomUUID()
    stored.set(id, { id, receipt: '', body, attributes, receiveCount: 0, sentAt: new Date(now()), visibleAtMs: now() })
    wake()
  }
  const queue: MessageQueue = {
    receive,
    acknowledge: async (message) => {
      await faults.strike('acknowledge')
      if (stored.get(message.id)?.receipt === message.receipt) stored.delete(message.id)
    },
    extend: async (message, visibilitySeconds) => {
      await faults.strike('extend')
      hide(message, visibilitySeconds)
    },
    send: async (message) => {
      await faults.strike('send')
      send(message)
    },
    ping: () => faults.strike('ping'),
  }
  const pass = (seconds: number) => {
    offsetMs += seconds * 1000
    wake()
  }
  return {
    queue,
    faults,
    get messages() {
      return [...stored.values()]
    },
    pass,
  }
}

/** Source: the SQS API reference, SendMessage: at most 1 MiB with attributes, no empty value, these characters only. */
const findProblem = (body: string, attributes: Readonly<Record<string, string>>): string | undefined => {
  const texts = [body, ...Object.values(attributes)]
  if (texts.includes('')) return 'the body or an attribute is empty'
  const impossible = /[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u
  if (texts.some((text) => impossible.test(text))) return 'a character is none that a queue can hold'
  const bytes = [...texts, ...Object.keys(attributes)].reduce((sum, text) => sum + Buffer.byteLength(text), 0)
  return bytes > 1_048_576 ? `the message has ${bytes} bytes` : undefined
}
