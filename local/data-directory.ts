import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** A data directory that this process alone holds. */
export type DataDirectory = { path: string; release: () => void }

/**
 * Makes the directory and holds it by a lock that the operating system releases when the process ends, however it ends.
 * @throws Error with one sentence when it can't be written or another process holds it
 */
export const holdDataDirectory = (name: string): DataDirectory => {
  const path = resolve(name)
  const lock = openLock(path)
  try {
    // SQLite takes a file lock of the system for this, and never gives it back before the handle closes.
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
  } catch (cause) {
    lock.close()
    throw new Error(`${path} is in use by another image-intake: stop that one or set DATA_DIR to another directory`, {
      cause,
    })
  }
  return { path, release: () => lock.close() }
}

const openLock = (path: string) => {
  try {
    mkdirSync(path, { recursive: true })
    return new DatabaseSync(join(path, 'lock.sqlite'), { timeout: 0 })
  } catch (cause) {
    throw new Error(`${path} can't be written: set DATA_DIR to a directory that can`, { cause })
  }
}
