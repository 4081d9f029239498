import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { localFileName, type LocalSystem } from '#shared/domain/local-mode.ts'

/** The file appears whole or not at all. */
export const writeLocalFile = (directory: string, system: LocalSystem) => {
  const path = join(directory, localFileName)
  writeFileSync(`${path}.new`, `${JSON.stringify(system, null, 2)}\n`, { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

export const removeLocalFile = (directory: string) => rmSync(join(directory, localFileName), { force: true })
