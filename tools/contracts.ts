import { isDeepStrictEqual } from 'node:util'

import { findContractBreaks } from './support/contract-breaks.ts'
import { readContractFiles, writeContractFiles } from './support/contract-files.ts'
import { describeContracts } from './support/contracts.ts'
import { runTool } from './support/run-tool.ts'

const usage = `npm run contracts [-- --release]
Writes contracts/*.schema.json as the schemas of shared/domain say them, and tells what breaks the contracts of the last
release (contracts/released). With --release these become the last release, unless something breaks.`

const directory = 'contracts'
const releasedDirectory = 'contracts/released'

await runTool({ usage, options: { release: { type: 'boolean' } } }, async ({ values }) => {
  const contracts = describeContracts()
  const isWritten = isDeepStrictEqual(readContractFiles(directory), contracts)
  await writeContractFiles(directory, contracts)
  console.log(
    isWritten ? 'nothing to do: the files are as the schemas say' : `wrote ${[...contracts.keys()].join(', ')}`,
  )

  const breaks = findContractBreaks(readContractFiles(releasedDirectory), contracts)
  if (breaks.length > 0) throw new Error(`this breaks the last release; a break is a new type:\n${breaks.join('\n')}`)
  if (values['release'] === true) await writeContractFiles(releasedDirectory, contracts)
})
