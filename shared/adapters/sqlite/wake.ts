import { closeSync, openSync, watch, writeSync } from 'node:fs'

/** Waiters look again after this time even when nothing rang: where the file system tells of no changes. */
export const lookAgainMs = 1_000

/** Who listens in this process, by the log's path. */
const listenersOf = new Map<string, Set<() => void>>()

/**
 * Tells of appends: those who listen in this process at once, those in others by a change of a file next to the log's.
 * Why not watch the log itself: SQLite writes it before the commit can be seen, so a watcher would look too early.
 */
export const openBell = (path: string) => {
  const bellPath = `${path}-bell`
  const file = openSync(bellPath, 'w')
  const listeners = listenersOf.get(path) ?? new Set()
  listenersOf.set(path, listeners)
  let stopWatching: (() => void) | undefined
  let listening = 0

  const ringHere = () => {
    for (const ring of listeners) ring()
  }
  return {
    ring: (): void => {
      ringHere()
      try {
        writeSync(file, '!', 0)
      } catch {
        // A full disk, say: the append that rings has succeeded all the same, and others look again.
      }
    },
    /** @returns how to stop listening, to be called once */
    listen: (ring: () => void): (() => void) => {
      listeners.add(ring)
      if (listening++ === 0) stopWatching = watchFile(bellPath, ringHere)
      return () => {
        listeners.delete(ring)
        if (--listening === 0) stopWatching?.()
      }
    },
    close: (): void => closeSync(file),
  }
}

export type Bell = ReturnType<typeof openBell>

/** Without a watch (no such file system, too many watches) others' appends are found by looking again. */
const watchFile = (path: string, onChange: () => void): (() => void) | undefined => {
  try {
    const watcher = watch(path, onChange)
    watcher.on('error', () => {
      watcher.close()
    })
    return () => {
      watcher.close()
    }
  } catch {
    return undefined
  }
}
