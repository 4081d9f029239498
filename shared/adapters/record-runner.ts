import type { ConsumeOptions, EventLog, LogRecord } from '#shared/ports/event-log.ts'
import type { Log } from '#shared/runtime/log.ts'

import { keyedScheduler } from './keyed-scheduler.ts'
import { handleRecord } from './record-handling.ts'

/** One record to be handled. */
export type Task = {
  record: LogRecord
  /** Aborts when the record's partition is given up, at the latest at the deadline. */
  signal: AbortSignal
  /** Called when its turn has come; false drops it, to be handed out again later. */
  begin: () => boolean
  /** Called when the record is final, and never after `signal`. */
  finish: () => void
}

/**
 * The work of one consumer: handles the records that it is given, `concurrency` at once, those of one key in order. After
 * `stop` or a failure those that have not begun are dropped, to be handed out again later.
 */
export const recordRunner = (
  options: Pick<ConsumeOptions, 'handle' | 'concurrency'> & {
    append: EventLog['append']
    stop: AbortSignal
    log: Log | undefined
    /** Called whenever a record has left the runner. */
    onSettled: () => void
  },
) => {
  const { handle, concurrency, append, stop, log, onSettled } = options
  const scheduler = keyedScheduler(concurrency)
  let inHand = 0
  let failure: Error | undefined

  const runTask = async ({ record, signal, begin, finish }: Task) => {
    const isAbandoned = () => signal.aborted
    if (isAbandoned() || stop.aborted || failure || !begin()) return
    const end = await handleRecord(record, { handle, append, signal, stop, log })
    if (end.kind === 'final' && !isAbandoned()) finish()
    if (end.kind === 'broken') failure ??= end.error
  }

  return {
    run: async (task: Task): Promise<void> => {
      inHand++
      try {
        await scheduler.run(task.record.key, () => runTask(task))
      } catch (error) {
        failure ??= error instanceof Error ? error : new Error(String(error))
      }
      inHand--
      onSettled()
    },
    inHand: (): number => inHand,
    /** Why nothing can be consumed any more. */
    failure: (): Error | undefined => failure,
  }
}
