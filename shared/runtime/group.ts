/** Gathers single items into grouped sends: an idle group sends at once; while sends are under way items gather. */
export type GroupOptions<Item, Result> = {
  /** Settles each item by itself, in order. Rejecting, or settling another number of items, is an error for all. */
  send: (items: readonly Item[]) => Promise<readonly PromiseSettledResult<Result>[]>
  maxItems: number
  maxInFlight?: number
  /** Most bytes of one send, by `sizeOf`; an item that is larger by itself goes alone. */
  maxBytes?: number
  sizeOf?: (item: Item) => number
}

/**
 * Gathers single items into grouped sends, in order: an idle group sends what one turn of the event loop brings; while
 * sends are under way items gather. There is no timer: a lone item leaves in the turn in which it came.
 */
export const group = <Item, Result>(options: GroupOptions<Item, Result>): ((item: Item) => Promise<Result>) => {
  const { send, maxItems, maxInFlight = 1, maxBytes = Infinity, sizeOf = () => 0 } = options
  type Entry = { item: Item; bytes: number } & PromiseWithResolvers<Result>
  const waiting: Entry[] = []
  let inFlight = 0
  let planned = false

  // setImmediate, not a microtask: flows that one turn woke up reach this point some microtasks apart.
  const plan = () => {
    if (planned || waiting.length === 0 || inFlight >= maxInFlight) return
    planned = true
    setImmediate(() => {
      planned = false
      while (waiting.length > 0 && inFlight < maxInFlight) void deliver(takeFitting())
    })
  }
  const takeFitting = () => {
    let count = 0
    let bytes = 0
    for (const entry of waiting) {
      bytes += entry.bytes
      if (count > 0 && (count >= maxItems || bytes > maxBytes)) break
      count++
    }
    return waiting.splice(0, count)
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
    const entry = { item, bytes: sizeOf(item), ...Promise.withResolvers<Result>() }
    waiting.push(entry)
    plan()
    return entry.promise
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
