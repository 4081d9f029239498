import type { EachBatchPayload } from 'kafkajs'

import type { LogRecord } from '#shared/ports/event-log.ts'

import { contiguousOffsets } from '../offsets.ts'
import type { Task } from '../record-runner.ts'
import { toRecord } from './records.ts'

/** A partition while this member holds it; after every joining of the group it is another one. */
type Held = {
  topic: string
  partition: number
  /** Whether the next batch is passed over, and so fetched again. */
  isDoubtful: boolean
  offsets: ReturnType<typeof contiguousOffsets>
  /** Aborts when the partition is given up; what is still in hand then moves no offset. */
  abandon: AbortController
  /** The last offset that was handed out. */
  taken: bigint
  /** The offset after all that is final, and the one that is committed; undefined before the first batch. */
  next: bigint | undefined
  committed: bigint | undefined
  /** Where the partition ends, as the last batch told. */
  end: bigint
  /** Goes on with fetching, when that was paused because too much is in hand. */
  resume: (() => void) | undefined
}

/** `lag`: how many records are not final; undefined before the first batch. */
export type HeldPartition = { topic: string; partition: number; lag: number | undefined }

/** The partitions that one member holds: what was fetched of them, what is in hand, what may be committed. */
export const openAssignment = (options: {
  /** Fetching of a partition pauses while it has more records in hand. */
  window: number
  dispatch: (task: Task) => void
}) => {
  const { window, dispatch } = options
  const held = new Map<string, Held>()
  let joins = 0
  let commitOffsets: EachBatchPayload['commitOffsetsIfNecessary'] | undefined

  const hold = (topic: string, partition: number, isDoubtful: boolean): Held => {
    const work = { offsets: contiguousOffsets(), abandon: new AbortController(), resume: undefined }
    const progress = { taken: -1n, next: undefined, committed: undefined, end: 0n }
    const one: Held = { topic, partition, isDoubtful, ...work, ...progress }
    held.set(nameOf(one), one)
    return one
  }
  const giveUp = (one: Held) => {
    one.abandon.abort()
    one.resume?.()
    held.delete(nameOf(one))
  }
  const taskOf = (one: Held, record: LogRecord): Task => ({
    record,
    signal: one.abandon.signal,
    begin: () => true,
    finish: () => {
      const reached = one.offsets.finish(record.offset)
      if (reached !== undefined) one.next = BigInt(reached) + 1n
    },
  })
  /** The partition as it is held, anew when the log was made anew under it: then offsets begin again. */
  const heldBy = ({ topic, partition, first }: { topic: string; partition: number; first: bigint }) => {
    const one = held.get(nameOf({ topic, partition }))
    if (!one || first > one.taken) return one
    giveUp(one)
    return hold(topic, partition, false)
  }

  return {
    /** A new assignment: whatever was in hand may be another member's now. */
    adopt: (partitionsOf: Readonly<Record<string, readonly number[]>>): void => {
      held.forEach(giveUp)
      // A batch that was fetched before the joining may still come, and would skip what was given up.
      const isDoubtful = joins++ > 0
      for (const [topic, partitions] of Object.entries(partitionsOf))
        for (const partition of partitions) hold(topic, partition, isDoubtful)
    },
    /** Hands out a batch, without waiting for its end. */
    take: (payload: EachBatchPayload): void => {
      const { batch } = payload
      const { topic, partition, messages } = batch
      const first = BigInt(messages[0]?.offset ?? batch.lastOffset())
      const one = heldBy({ topic, partition, first })
      if (!one) return
      if (one.isDoubtful) {
        one.isDoubtful = false
        return
      }
      commitOffsets = (offsets) => payload.commitOffsetsIfNecessary(offsets)
      one.end = BigInt(batch.highWatermark)
      one.next ??= first
      one.committed ??= first
      one.taken = BigInt(batch.lastOffset())
      for (const { offset } of messages) one.offsets.take(offset)
      for (const message of messages) dispatch(taskOf(one, toRecord(topic, partition, message)))
      payload.resolveOffset(batch.lastOffset())
      if (one.offsets.size() > window) one.resume ??= payload.pause()
    },
    /** Goes on fetching where little enough is in hand. */
    resume: (): void => {
      for (const one of held.values()) {
        if (!one.resume || one.offsets.size() > window / 2) continue
        one.resume()
        one.resume = undefined
      }
    },
    /** Commits what is final; true when there was something. @throws what kafkajs throws: then nothing is known */
    commit: async (): Promise<boolean> => {
      const moved = [...held.values()].flatMap((one) =>
        one.next !== undefined && one.next !== one.committed ? [{ one, offset: one.next }] : [],
      )
      if (moved.length === 0 || !commitOffsets) return false
      const topics = moved.map(({ one: { topic, partition }, offset }) => ({
        topic,
        partitions: [{ partition, offset: String(offset) }],
      }))
      await commitOffsets({ topics })
      for (const { one, offset } of moved) one.committed = offset
      return true
    },
    /** From now on nothing becomes final; what is final already can still be committed. */
    abandonAll: (): void => held.forEach(({ abandon }) => abandon.abort()),
    giveUpAll: (): void => held.forEach(giveUp),
    list: (): HeldPartition[] => [...held.values()].map(describe),
  }
}

export type Assignment = ReturnType<typeof openAssignment>

const nameOf = ({ topic, partition }: { topic: string; partition: number }) => `${topic}/${partition}`

const describe = ({ topic, partition, next, end }: Held): HeldPartition => ({
  topic,
  partition,
  lag: next === undefined ? undefined : Math.max(0, Number(end - next)),
})
