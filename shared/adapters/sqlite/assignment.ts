import type { LogRecord } from '#shared/ports/event-log.ts'

import { contiguousOffsets } from '../offsets.ts'
import type { Task } from '../record-runner.ts'
import { leaseMs, nameOf } from './membership.ts'
import type { Holding, Membership } from './membership.ts'
import type { Partition, RecordStore } from './records.ts'

/** A partition while this member holds it; a later holding of the same partition is another one. */
type Assigned = Partition & {
  offsets: ReturnType<typeof contiguousOffsets>
  /** Aborts when the partition is given up; what is still in hand then moves no offset. */
  abandon: AbortController
  /** The last offset that was handed out, the last that may be committed, and the last that is. */
  taken: number
  finished: number
  committed: number
  /** Records whose handling has begun and that are not final. */
  begun: number
  /** Since when it is due to another member: nothing new begins, and it is released when nothing is in hand. */
  drainingSince: number | undefined
}

/** How long work in hand may hold up a partition that is due to another member. */
const maxDrainMs = leaseMs

/** The partitions that one member holds: what is read from them, what is in hand, what may be committed. */
export const openAssignment = (options: {
  membership: Membership
  records: RecordStore
  /** Most records of one partition that are read ahead of its committed offset. */
  window: number
  dispatch: (task: Task) => void
  now: () => Date
}) => {
  const { membership, records, window, dispatch, now } = options
  const held = new Map<string, Assigned>()

  const giveUp = (assigned: Assigned) => {
    assigned.abandon.abort()
    held.delete(nameOf(assigned))
  }
  const hold = (holding: Holding): Assigned => {
    const { topic, partition, committed } = holding
    const progress = { taken: committed, finished: committed, committed, begun: 0, drainingSince: undefined }
    const work = { offsets: contiguousOffsets(), abandon: new AbortController() }
    const assigned: Assigned = { topic, partition, ...progress, ...work }
    held.set(nameOf(assigned), assigned)
    return assigned
  }
  const adopt = (holding: Holding) => {
    const known = held.get(nameOf(holding))
    // Another member has moved it in between, so what we have in hand of it is out of date.
    const isStale = known !== undefined && known.committed !== holding.committed
    if (isStale) giveUp(known)
    const assigned = known === undefined || isStale ? hold(holding) : known
    if (!holding.isPlanned) assigned.drainingSince ??= now().getTime()
  }
  const feedPartition = (assigned: Assigned) => {
    const room = window - assigned.offsets.size()
    if (assigned.drainingSince !== undefined || room < window / 2) return
    for (const record of records.takePartition(assigned, assigned.taken, room)) {
      assigned.taken = Number(record.offset)
      assigned.offsets.take(record.offset)
      dispatch(taskOf(assigned, record))
    }
  }
  const taskOf = (assigned: Assigned, record: LogRecord): Task => ({
    record,
    signal: assigned.abandon.signal,
    begin: () => {
      if (assigned.drainingSince !== undefined) return false
      assigned.begun++
      return true
    },
    finish: () => {
      assigned.begun--
      assigned.finished = Number(assigned.offsets.finish(record.offset) ?? assigned.finished)
    },
  })

  return {
    /** Renews the lease and follows the plan. */
    renew: (): void => {
      const holdings = membership.renew()
      const names = new Set(holdings.map(nameOf))
      for (const assigned of held.values()) if (!names.has(nameOf(assigned))) giveUp(assigned)
      holdings.forEach(adopt)
    },
    /** Commits what is final; a partition that turns out to be another's is given up. */
    commit: (): void => {
      const moved = [...held.values()].filter(({ finished, committed }) => finished > committed)
      if (moved.length === 0) return
      const lost = new Set(membership.commit(moved.map((assigned) => ({ ...assigned, offset: assigned.finished }))))
      for (const assigned of moved) assigned.committed = assigned.finished
      for (const partition of lost) {
        const assigned = held.get(nameOf(partition))
        if (assigned) giveUp(assigned)
      }
    },
    /** Lets go of partitions that are due to others and idle, or not idle for too long. */
    releaseDrained: (): void => {
      for (const assigned of held.values()) {
        const { drainingSince, begun } = assigned
        if (drainingSince === undefined) continue
        if (begun > 0 && now().getTime() < drainingSince + maxDrainMs) continue
        giveUp(assigned)
        membership.release(assigned)
      }
    },
    feed: (): void => held.forEach(feedPartition),
    giveUpAll: (): void => held.forEach(giveUp),
  }
}

export type Assignment = ReturnType<typeof openAssignment>
