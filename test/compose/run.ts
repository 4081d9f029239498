import { setTimeout as sleep } from 'node:timers/promises'

import { beginUpload } from '../support/client.ts'
import { eventually } from '../support/eventually.ts'
import { planFile, type PlannedFile } from '../support/file-mix.ts'
import { insist } from '../support/kill-run.ts'
import type { ComposeSystem } from './system.ts'

const patienceMs = 300_000

/** An upload run of several clients that goes on until it is told that the disturbances are over. */
export type Run = {
  /** What is known to be stored, by key; grows while it runs. */
  uploaded: Map<string, PlannedFile>
  /** Resolves when so many more files are stored. */
  progress: (files: number) => Promise<void>
}

/**
 * Lets clients upload a mix of files while `disturb` disturbs the system. A client gives up neither its ticket nor its
 * PUT. @returns when `disturb` is done and every upload that was begun is stored
 */
export const uploadDuring = async (
  { system }: ComposeSystem,
  uploaded: Map<string, PlannedFile>,
  random: () => number,
  disturb: (run: Run) => Promise<void>,
) => {
  let isOver = false
  let planned = 0
  const client = async () => {
    while (!isOver) {
      const file = await planFile(random, planned++)
      const upload = await insist(() => beginUpload(system, file), patienceMs)
      await insist(() => upload.put(system), patienceMs)
      uploaded.set(upload.key, file)
      // A client's own pace: the run lasts as long as the disturbances, and need not grow with them.
      await sleep(500)
    }
  }
  const progress = async (files: number) => {
    const wanted = uploaded.size + files
    await eventually(() => uploaded.size >= wanted, `${files} more uploads`, patienceMs)
  }
  const disturbed = disturb({ uploaded, progress }).finally(() => (isOver = true))
  await Promise.all([disturbed, ...Array.from({ length: 4 }, client)])
}
