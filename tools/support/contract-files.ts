import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { format, resolveConfig } from 'prettier'

import type { Contracts, JsonSchema } from './contracts.ts'

const ending = '.schema.json'

/** The contracts that are checked in. */
export const readContractFiles = (directory: string): Contracts =>
  new Map(
    readdirSync(directory)
      .filter((file) => file.endsWith(ending))
      // Files that this module wrote.
      .map((file) => [
        file.slice(0, -ending.length),
        JSON.parse(readFileSync(join(directory, file), 'utf8')) as JsonSchema,
      ]),
  )

/** Formatted as the rest of the source, so that a change shows as it is. */
export const writeContractFiles = async (directory: string, contracts: Contracts) => {
  mkdirSync(directory, { recursive: true })
  for (const [name, schema] of contracts) {
    const path = join(directory, `${name}${ending}`)
    const style = { ...(await resolveConfig(path)), filepath: path }
    writeFileSync(path, await format(JSON.stringify(schema), style))
  }
}
