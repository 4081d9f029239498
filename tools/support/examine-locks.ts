import { messageOf } from '#shared/runtime/message-of.ts'

import { honestPut, type Attempt, type Finding, type Lock, type LockTicket, type StoreAnswer } from './locks.ts'

export type Place = {
  /** A ticket of the doctor's own for exactly this image. */
  askTicket: (
    image: Uint8Array<ArrayBuffer>,
    options: { checksum: boolean },
  ) => Promise<LockTicket & { expires_in: number }>
  send: (attempt: Attempt) => Promise<StoreAnswer>
  /** Deletes what was stored under a ticket's key, through the API. */
  remove: (key: string) => Promise<void>
  sleep: (ms: number) => Promise<void>
  nowMs: () => number
}

/** `detail`: what the store answered, and what that means where the lock does not hold. */
export type Examined = { lock: Lock; finding: Finding; detail: string }

/** Nothing can be said of locks where not even an honest client is let in. */
export class CannotJudgeError extends Error {
  override readonly name = 'CannotJudgeError'
}

/** The store's clock may be behind ours by so much. */
const clockMarginMs = 3_000

/**
 * Attacks a bucket by tickets of its API: each lock on a ticket of its own, those that wait for a ticket's end last. An
 * attack that gets no answer leaves its lock unclear. What was stored on the way is deleted before that wait, and after it.
 * @param onStored gets the key of an honest upload; the examination waits for what it promises
 * @throws CannotJudgeError when the honest PUT is refused or not answered; what keeps the API from giving a ticket
 */
export const examineLocks = async (
  place: Place,
  { locks, image }: { locks: readonly Lock[]; image: Uint8Array<ArrayBuffer> },
  { onStored, onExamined }: { onStored: (key: string) => Promise<void>; onExamined: (examined: Examined) => void },
): Promise<void> => {
  const keys: string[] = []
  const askTicket = async (checksum: boolean) => {
    const ticket = await place.askTicket(image, { checksum })
    keys.push(ticket.key)
    return ticket
  }
  const removeAll = async () => {
    for (const key of keys.splice(0)) await place.remove(key)
  }
  const store = async (ticket: LockTicket) => {
    const answer = await place.send(honestPut(ticket, image)).catch((error: unknown) => {
      throw new CannotJudgeError(`the honest PUT had ${messageOf(error)}`, { cause: error })
    })
    if (answer.status !== 200) throw new CannotJudgeError(`the honest PUT was answered with ${describeAnswer(answer)}`)
  }
  const examine = async (lock: Lock, ticket: LockTicket) => {
    if (lock.storesAs) keys.push(lock.storesAs(ticket.key))
    try {
      if (lock.ground === 'stored') await store(ticket)
      onExamined(judge(lock, await place.send(lock.attack(ticket, image))))
    } catch (error) {
      onExamined({ lock, finding: 'unclear', detail: messageOf(error) })
    }
  }
  const [waiting, others] = [locks.filter(isForExpired), locks.filter((lock) => !isForExpired(lock))]
  try {
    const aged = await askTicket(false)
    const expiresMs = place.nowMs() + aged.expires_in * 1000
    const first = await askTicket(false)
    await store(first)
    await onStored(first.key)
    for (const lock of others) await examine(lock, await askTicket(lock.checksum === true))
    // The user's token may end during the wait, and whoever waits may not wait to its end.
    if (waiting.length > 0) await removeAll()
    for (const lock of waiting) {
      await place.sleep(expiresMs + clockMarginMs - place.nowMs())
      keys.push(aged.key)
      await examine(lock, aged)
    }
  } finally {
    await removeAll()
  }
}

const isForExpired = ({ ground }: Lock) => ground === 'expired'

const judge = (lock: Lock, answer: StoreAnswer): Examined => {
  const finding = lock.judge(answer)
  const answered = describeAnswer(answer)
  const details = {
    holds: answered,
    broken: `${answered}: ${lock.breach}`,
    unclear: `${answered}: refused, but not for what was wrong`,
  }
  return { lock, finding, detail: details[finding] }
}

const describeAnswer = ({ status, code }: StoreAnswer) => (code === undefined ? String(status) : `${status} ${code}`)
