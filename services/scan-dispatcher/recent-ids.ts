/** The last ids that were added, at most so many. */
export type RecentIds = { add: (id: string) => void; has: (id: string) => boolean }

export const recentIds = (most: number): RecentIds => {
  // A Set keeps the order of insertion.
  const ids = new Set<string>()
  return {
    add: (id) => {
      ids.delete(id)
      ids.add(id)
      const [oldest] = ids
      if (ids.size > most && oldest !== undefined) ids.delete(oldest)
    },
    has: (id) => ids.has(id),
  }
}
