import { performance } from 'node:perf_hooks'

export type GroupOptions<Item, Result> = {
  /** Settles each item by itself, in order. Rejecting, or settling another number of items, is an error for all. */
  send: (items: readonly Item[]) => Promise<readonly PromiseSettledResult<Result>[]>
  maxItems: number
  maxInFlight?: number
  /** Most bytes of one send, by `sizeOf`; an item that is larger by itself goes alone. */
  maxBytes?: number
  sizeOf?: (item: Item) => number
  /** Longest wait of an item for others, where sends cost more than a wait; 0 when not given. */
  gatherMs?: number
}

/**
 * Gathers single items into grouped sends, in order: an idle group sends what one turn of the event loop brings; while
 * sends are under way items gather. Without `gatherMs` there is no timer: a lone item leaves in the turn in which it came.
 * With it only a group whose last send is that long ago is idle; until then a send waits to be full, for a time that
 * shrinks while it brings nobody: who sends one item after the other is not held up.
 */
export const group = <Item, Result>(options: GroupOptions<Item, Result>): ((item: Item) => Promise<Result>) => {
  const { send, maxItems, maxInFlight = 1, maxBytes = Infinity, sizeOf = () => 0, gatherMs = 0 } = options
  type Entry = { item: Item; bytes: number; at: number } & PromiseWithResolvers<Result>
  const waiting: Entry[] = []
  const patience = patienceOf(gatherMs)
  let inFlight = 0
  let planned = false
  let timer: NodeJS.Timeout | undefined

  // setImmediate, not a microtask: flows that one turn woke up reach this point some microtasks apart.
  const plan = () => {
    if (planned || waiting.length === 0 || inFlight >= maxInFlight) return
    planned = true
    setImmediate(sendDue)
  }
  const sendDue = () => {
    planned = false
    while (inFlight < maxInFlight) {
      const [first] = waiting
      if (!first) return
      const { count, isFull } = findFitting()
      const waitMs = isFull ? 0 : patience.waitMs(first.at, performance.now())
      if (waitMs > 0) {
        planAgain(waitMs)
        return
      }
      clearTimeout(timer)
      timer = undefined
      patience.learn(count, first.at, performance.now())
      void deliver(waiting.splice(0, count))
    }
  }
  const planAgain = (waitMs: number) => {
    timer ??= setTimeout(() => {
      timer = undefined
      plan()
    }, waitMs)
  }
  const findFitting = () => {
    let count = 0
    let bytes = 0
    for (const entry of waiting) {
      bytes += entry.bytes
      if (count > 0 && (count >= maxItems || bytes > maxBytes)) break
      count++
    }
    return { count, isFull: count >= maxItems || count < waiting.length }
  }
  const deliver = async (entries: readonly Entry[]) => {
    inFlight++
    try {
      const results = await send(entries.map(({ item }) => item))
      settle(entries, results)
    } catch (error) {
      for (const { reject } of entries) reject(error)
    }
    inFlight--
    plan()
  }
  return (item) => {
    const entry = { item, bytes: sizeOf(item), at: performance.now(), ...Promise.withResolvers<Result>() }
    waiting.push(entry)
    plan()
    return entry.promise
  }
}

/** How long an item waits for others, by what waiting brought before. */
const patienceOf = (gatherMs: number) => {
  let lastSendAt = -Infinity
  let patienceMs = gatherMs
  const waits = (firstAt: number) => firstAt - lastSendAt < gatherMs
  return {
    waitMs: (firstAt: number, now: number) => (waits(firstAt) ? firstAt + patienceMs - now : 0),
    learn: (count: number, firstAt: number, now: number) => {
      if (count > 1) patienceMs = gatherMs
      // Not to 0: then it would never see that more than one come again.
      else if (waits(firstAt)) patienceMs = Math.max(1, patienceMs / 2)
      lastSendAt = now
    },
  }
}

const settle = <Result>(
  entries: readonly PromiseWithResolvers<Result>[],
  results: readonly PromiseSettledResult<Result>[],
) => {
  if (results.length !== entries.length)
    throw new Error(`a group of ${entries.length} was sent, but ${results.length} were settled`)
  for (const [index, result] of results.entries()) {
    if (result.status === 'fulfilled') entries[index]?.resolve(result.value)
    else entries[index]?.reject(result.reason)
  }
}
