import { writeFile } from 'node:fs/promises'

import { runTool } from './support/run-tool.ts'
import { pairsModule, writePairsModule } from './support/wat.ts'

const usage = `npm run build:wasm
Writes the module of WebAssembly that stands in the code, from its source in the text format (.wat).`

await runTool({ usage, options: {} }, async () => {
  await writeFile(pairsModule, await writePairsModule())
  console.log(`wrote ${pairsModule}`)
})
