import { randomBytes } from 'node:crypto'
import { closeSync, fsync, mkdirSync, openSync, readdirSync, rmSync } from 'node:fs'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** Bytes on disk under a fresh name; not yet among the blobs. */
export type StagedBlob = { name: string; size: number }

export type Blobs = {
  /** Streams a body into a file of its own and syncs it. Leaves nothing behind when the body breaks off. */
  stage: (body: AsyncIterable<Buffer>, onChunk: (chunk: Buffer) => void) => Promise<StagedBlob>
  /** Moves a staged blob among the blobs, durably: to be done before the row that names it is committed. */
  publish: (name: string) => Promise<void>
  discard: (name: string) => Promise<void>
  /** Undefined when there is no such blob. An open blob stays readable after it is removed. */
  open: (name: string) => Promise<FileHandle | undefined>
  remove: (name: string) => Promise<void>
  /** Removes what a killed process left: all staged files and every blob that is not in `live`. */
  sweep: (live: ReadonlySet<string>) => void
  close: () => void
}

/** Blobs as files of one directory. */
export const openBlobs = (directory: string): Blobs => {
  const staging = join(directory, 'tmp')
  mkdirSync(staging, { recursive: true })
  const folder = openSync(directory, 'r')
  const syncFolder = shareRuns(() => promisify(fsync)(folder))
  return {
    stage: async (body, onChunk) => {
      const name = randomBytes(16).toString('hex')
      const path = join(staging, name)
      const file = await open(path, 'wx')
      try {
        const size = await writeChunks(file, body, onChunk)
        await file.datasync()
        await file.close()
        return { name, size }
      } catch (error) {
        await file.close()
        await rm(path, { force: true })
        throw error
      }
    },
    publish: async (name) => {
      await rename(join(staging, name), join(directory, name))
      await syncFolder()
    },
    discard: (name) => rm(join(staging, name), { force: true }),
    open: (name) => open(join(directory, name), 'r').catch(absentToUndefined),
    remove: (name) => rm(join(directory, name), { force: true }),
    sweep: (live) => {
      for (const name of readdirSync(staging)) rmSync(join(staging, name))
      for (const { name } of readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isFile()))
        if (!live.has(name)) rmSync(join(directory, name))
    },
    close: () => closeSync(folder),
  }
}

/** Runs `work` again and again, one run at a time; who asks while one is under way shares the next, which begins later. */
const shareRuns = (work: () => Promise<void>): (() => Promise<void>) => {
  let running = Promise.resolve()
  let next: Promise<void> | undefined
  const begin = () => {
    next = undefined
    const run = work()
    running = run.catch(() => undefined)
    return run
  }
  return () => (next ??= running.then(begin))
}

const writeChunks = async (file: FileHandle, body: AsyncIterable<Buffer>, onChunk: (chunk: Buffer) => void) => {
  let size = 0
  for await (const chunk of body) {
    onChunk(chunk)
    await file.writeFile(chunk)
    size += chunk.length
  }
  return size
}

const absentToUndefined = (error: unknown): undefined => {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
  throw error
}
