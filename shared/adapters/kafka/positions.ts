import type { LogRecord } from '#shared/ports/event-log.ts'

type Offsets = { partition: number; low: string; high: string }
/** An offset of a partition. */
export type Place = { topic: string; partition: number; offset: string }
type Position = { topic: string; partition: number; next: bigint; end: bigint | undefined }

/** Where a reader is in each partition, and where it ends. */
export const openPositions = ({ from, follow }: { from: 'start' | 'end'; follow: boolean }) => {
  const positions = new Map<string, Position>()
  const nameOf = ({ topic, partition }: { topic: string; partition: number }) => `${topic}/${partition}`
  /** A partition that was added later is read from its beginning, by who follows. */
  const find = (place: { topic: string; partition: number }): Position => {
    const known = positions.get(nameOf(place))
    const { topic, partition } = place
    const position = known ?? { topic, partition, next: 0n, end: follow ? undefined : 0n }
    positions.set(nameOf(place), position)
    return position
  }
  return {
    add: (topic: string, offsets: readonly Offsets[]): void => {
      for (const { partition, low, high } of offsets) {
        const position = find({ topic, partition })
        position.next = BigInt(from === 'start' ? low : high)
        position.end = follow ? undefined : BigInt(high)
      }
    },
    /** Whether a record is still to be read. */
    isDue: (record: LogRecord): boolean => {
      const { next, end } = find(record)
      const offset = BigInt(record.offset)
      return offset >= next && (end === undefined || offset < end)
    },
    /** Up to this offset, inclusive, nothing is left to be read. */
    pass: (place: Place): void => {
      const position = find(place)
      const after = BigInt(place.offset) + 1n
      if (after > position.next) position.next = after
    },
    /** What is gone from a topic's beginning, by retention, is not waited for. */
    skip: (topic: string, offsets: readonly Offsets[]): void => {
      for (const { partition, low } of offsets) {
        const position = positions.get(nameOf({ topic, partition }))
        if (position && BigInt(low) > position.next) position.next = BigInt(low)
      }
    },
    list: (): Position[] => [...positions.values()],
    /** Whether all partitions are read to their ends; never for who follows. */
    areReached: (): boolean => [...positions.values()].every(({ next, end }) => end !== undefined && next >= end),
  }
}

export type Positions = ReturnType<typeof openPositions>
