import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

/** Begins a client in a process of its own, which is told what to do by messages and answers with one: its report. */
export const forkClient = (file: string) => {
  const child = fork(join(import.meta.dirname, file))
  const died = once(child, 'exit').then(() => Promise.reject(new Error('the client ended without a report')))
  died.catch(() => undefined)
  const message = once(child, 'message').then(([report]: unknown[]) => report)
  const report = Promise.race([message, died])
  report.catch(() => undefined)
  return { tell: (message: object) => void child.send(message), report, kill: () => void child.kill() }
}
