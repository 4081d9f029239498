import { limit } from '#shared/runtime/limit.ts'

/** Runs tasks, at most `concurrency` at once; those of one key one after the other, in the order in which they came. */
export const keyedScheduler = (concurrency: number) => {
  const slots = limit(concurrency)
  const lastOfKey = new Map<string, Promise<void>>()

  const runAfter = async (earlier: Promise<void> | undefined, task: () => Promise<void>): Promise<void> => {
    await earlier
    await slots.take()
    try {
      await task()
    } finally {
      slots.give()
    }
  }

  return {
    /** Settles as the task does. */
    run: (key: string, task: () => Promise<void>): Promise<void> => {
      const result = runAfter(lastOfKey.get(key), task)
      const last = result
        .catch(() => undefined)
        .then(() => {
          if (lastOfKey.get(key) === last) lastOfKey.delete(key)
        })
      lastOfKey.set(key, last)
      return result
    },
  }
}
