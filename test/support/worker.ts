import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import type { LocalSystem } from '#shared/domain/local-mode.ts'

import { startProcess } from './local-system.ts'

/** Begins the example worker on the local system that runs in `dataPath`. */
export const startWorker = (dataPath: string) => startProcess('examples/vision-worker.ts', [], { DATA_DIR: dataPath })

/** Begins it on a system that it is told of by a file of its own, in a folder of `path`. */
export const startWorkerOf = (system: LocalSystem, path: string) => {
  const dataPath = join(path, 'worker')
  mkdirSync(dataPath)
  writeFileSync(join(dataPath, 'local.json'), JSON.stringify(system))
  return startWorker(dataPath)
}
