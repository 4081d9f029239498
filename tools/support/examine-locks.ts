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

export type Examined = { lock: Lock; finding: Finding; answer: StoreAnswer }

/** Nothing can be said of locks where not even an honest client is let in. */
export class CannotJudgeError extends Error {
  override readonly name = 'CannotJudgeError'
}

/** The store's clock may be behind ours by so much. */
const clockMarginMs = 3_000

/**
 * Attacks a bucket by tickets of its API: each lock on a ticket of its own, those that wait for a ticket's end last.
 * What was stored on the way is deleted in the end.
 * @param onStored gets the key of an honest upload; the examination waits for what it promises
 * @throws CannotJudgeError when the honest PUT is refused
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
  const store = async (ticket: LockTicket) => {
    const answer = await place.send(honestPut(ticket, image))
    if (answer.status !== 200) throw new CannotJudgeError(`the honest PUT was answered with ${describeAnswer(answer)}`)
    return ticket
  }
  const examine = async (lock: Lock, ticket: LockTicket) => {
    if (lock.storesAs) keys.push(lock.storesAs(ticket.key))
    const answer = await place.send(lock.attack(ticket, image))
    onExamined({ lock, finding: lock.judge(answer), answer })
  }
  try {
    const aged = await askTicket(false)
    const expiresMs = place.nowMs() + aged.expires_in * 1000
    const { key } = await store(await askTicket(false))
    await onStored(key)
    for (const lock of locks.filter(({ ground }) => ground !== 'expired')) {
      const ticket = await askTicket(lock.checksum === true)
      await examine(lock, lock.ground === 'stored' ? await store(ticket) : ticket)
    }
    for (const lock of locks.filter(({ ground }) => ground === 'expired')) {
      await place.sleep(expiresMs + clockMarginMs - place.nowMs())
      await examine(lock, aged)
    }
  } finally {
    for (const key of keys) await place.remove(key)
  }
}

export const describeAnswer = ({ status, code }: StoreAnswer) =>
  code === undefined ? String(status) : `${status} ${code}`
