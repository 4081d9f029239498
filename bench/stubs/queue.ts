import { writeNotification, type StubMessage } from './notifications.ts'

type Poll = { max: number; answer: (messages: readonly StubMessage[]) => void; timer: NodeJS.Timeout }

/** An uploads queue in memory that hands every message out once: whoever loses one never drains it. */
export const uploadsQueue = (bucket: string) => {
  const waiting: StubMessage[] = []
  const polls: Poll[] = []
  const inHand = new Set<string>()
  let next = 0
  let drained = Promise.withResolvers<undefined>()

  const take = (max: number) => {
    const messages = waiting.splice(0, max)
    for (const { ReceiptHandle } of messages) inHand.add(ReceiptHandle)
    return messages
  }
  return {
    /** Writes so many messages. @returns what puts them in, and then resolves when all were deleted */
    prepare: (count: number) => {
      const messages = Array.from({ length: count }, () => writeNotification(bucket, next++))
      return (): Promise<undefined> => {
        drained = Promise.withResolvers()
        waiting.push(...messages)
        for (const { max, answer, timer } of polls.splice(0)) {
          clearTimeout(timer)
          answer(take(max))
        }
        return drained.promise
      }
    },
    /** Answers at once when there are messages, else when some came or the time has passed. */
    receive: (max: number, waitSeconds: number, answer: Poll['answer']) => {
      if (waiting.length > 0) {
        answer(take(max))
        return
      }
      const poll = { max, answer, timer: setTimeout(() => end(), waitSeconds * 1000) }
      const end = () => {
        polls.splice(polls.indexOf(poll), 1)
        answer([])
      }
      polls.push(poll)
    },
    remove: (receipt: string): boolean => {
      const isKnown = inHand.delete(receipt)
      if (inHand.size === 0 && waiting.length === 0) drained.resolve(undefined)
      return isKnown
    },
    stop: () => {
      for (const { timer } of polls) clearTimeout(timer)
    },
  }
}

export type UploadsQueue = ReturnType<typeof uploadsQueue>
