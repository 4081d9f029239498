import { accessSync, constants, existsSync, mkdirSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** A data directory that this process alone holds. */
export type DataDirectory = { path: string; release: () => void }

/**
 * Makes the directory and holds it by a lock that the operating system releases when the process ends, however it ends.
 * @throws Error with one sentence when it can't be written or another process holds it
 */
export const holdDataDirectory = (name: string): DataDirectory => {
  const path = resolve(name)
  try {
    makeDirectory(path)
    accessSync(path, constants.W_OK)
    return { path, release: holdLock(join(path, 'lock.sqlite')) }
  } catch (cause) {
    throw new Error(isBusy(cause) ? `${path} ${inUse}` : `${path} ${notWritable}`, { cause })
  }
}

const inUse = 'is in use by another image-intake: stop that one or set DATA_DIR to another directory'
const notWritable = "can't be written: set DATA_DIR to a directory that can"

/** SQLite takes a file lock of the system for this, and never gives it back before the handle closes. */
const holdLock = (file: string) => {
  const lock = new DatabaseSync(file, { timeout: 0 })
  try {
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    throw error
  }
  return () => lock.close()
}

/** SQLITE_BUSY. */
const isBusy = (error: unknown) => error instanceof Error && 'errcode' in error && error.errcode === 5

/** Level by level: where a file system takes no directories, as /proc, Node's own recursion never ends. */
const makeDirectory = (path: string) => {
  if (existsSync(path)) return
  makeDirectory(dirname(path))
  mkdirSync(path)
}
