/** Who waits for a queue to change. In process: nothing is polled. */
export type Waiting = {
  /** Wakes all who wait for this queue, in the order in which they came. */
  wake: (queue: string) => void
  /** Resolves when the queue is woken, `withinMs` pass, or `stop` fires. */
  wait: (queue: string, withinMs: number, stop: AbortSignal) => Promise<void>
}

export const openWaiting = (): Waiting => {
  const queues = new Map<string, Set<() => void>>()
  return {
    wake: (queue) => {
      for (const resume of [...(queues.get(queue) ?? [])]) resume()
    },
    wait: (queue, withinMs, stop) =>
      new Promise((resolve) => {
        const waiters = queues.get(queue) ?? new Set()
        queues.set(queue, waiters)
        const resume = () => {
          clearTimeout(timer)
          stop.removeEventListener('abort', resume)
          waiters.delete(resume)
          resolve()
        }
        const timer = setTimeout(resume, withinMs)
        waiters.add(resume)
        stop.addEventListener('abort', resume)
      }),
  }
}
