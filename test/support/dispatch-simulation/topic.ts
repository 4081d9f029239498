import { contiguousOffsets } from '#shared/adapters/offsets.ts'
import type { LogRecord } from '#shared/ports/event-log.ts'

import { planImages, type Images } from './images.ts'

const partitions = 12
const duplicateShare = 0.3
const deletedShare = 0.02
/** Over how many places a record may be moved from its turn. */
const reorderBy = 30
/** Of what is final, how often the log is told. */
const commitShare = 0.2

/** A record: when it was appended, and its upload by its number; that of a removal is below 0. */
type Written = { atMs: number; number: number }
type Partition = { written: readonly Written[]; committed: number }

/** So far ahead of the clock a record may be read: the clock follows. */
const leadMs = 2_000

/** Both topics as they were written: with repeats, and out of order. */
export const writeTopics = (scans: number, random: () => number) => {
  const images = planImages(scans)
  const turns: [turn: number, number: number][] = []
  for (let index = 0; index < scans; index++) {
    turns.push([index + random() * reorderBy, index])
    if (random() < duplicateShare) turns.push([index + random() ** 4 * 5_000, index])
    if (random() < deletedShare) turns.push([index + (random() - 0.5) * 100, -1 - index])
  }
  turns.sort(([one], [other]) => one - other)
  const deleted = new Set<number>()
  const lists = Array.from({ length: 2 * partitions }, (): Written[] => [])
  for (const [turn, number] of turns) {
    if (number < 0) deleted.add(-1 - number)
    const place = number < 0 ? partitions + ((-1 - number) % partitions) : number % partitions
    lists[place]?.push({ atMs: images.uploadedMs(turn) + 1_000, number })
  }
  return {
    images,
    deleted,
    count: turns.length,
    partitions: lists.map((written): Partition => ({ written, committed: 0 })),
  }
}

export type Topics = ReturnType<typeof writeTopics>

/** Reads on from what is committed, partitions in turn by chance; `finish` moves the offset, sooner or later. */
export const readTopics = ({ images, partitions: all }: Topics, nowMs: () => number, random: () => number) => {
  const reading = all.map((partition, index) => ({
    partition,
    index,
    next: partition.committed,
    offsets: contiguousOffsets(),
  }))
  type Reading = (typeof reading)[number]
  const dueMs = ({ partition, next }: Reading) => partition.written[next]?.atMs ?? Infinity
  let open = reading.filter((one) => dueMs(one) < Infinity)

  const pick = () => {
    const chosen = open[Math.floor(random() * open.length)]
    if (!chosen || dueMs(chosen) <= nowMs() + leadMs) return chosen
    return open.reduce((earliest, one) => (dueMs(one) < dueMs(earliest) ? one : earliest))
  }
  const take = () => {
    const one = pick()
    const written = one?.partition.written[one.next]
    if (!one || !written) return undefined
    const offset = String(one.next++)
    if (dueMs(one) === Infinity) open = open.filter((other) => other !== one)
    one.offsets.take(offset)
    const finish = () => {
      const reached = one.offsets.finish(offset)
      if (reached !== undefined && random() < commitShare) one.partition.committed = Number(reached) + 1
    }
    return { record: readRecord(images, written, { partition: one.index, offset }), atMs: written.atMs, finish }
  }
  return { take }
}

const readRecord = (
  { writeDeleted, writeUploaded }: Images,
  { number, atMs }: Written,
  place: { partition: number; offset: string },
): LogRecord => {
  const written = number < 0 ? writeDeleted(-1 - number) : writeUploaded(number)
  return { ...written, ...place, headers: {}, appendedAt: new Date(atMs) }
}

/** As when a dispatcher stops in peace. */
export const commitAll = ({ partitions: all }: Topics) => {
  for (const partition of all) partition.committed = partition.written.length
}

/** As when the group's offsets are reset while nobody consumes. */
export const resetOffsets = ({ partitions: all }: Topics) => {
  for (const partition of all) partition.committed = 0
}
