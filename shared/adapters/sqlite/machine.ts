import { readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/**
 * Where a process id means the same process: the host and, on Linux, the pid namespace, since the containers of one pod
 * share a host name and not their process ids.
 */
export const nameMachine = (): string => {
  try {
    return `${hostname()} ${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return hostname()
  }
}

/** Signal 0 asks without sending. EPERM: it lives and belongs to another user. */
export const isRunning = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
