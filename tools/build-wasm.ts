import { writeFile } from 'node:fs/promises'

import { runTool } from './support/run-tool.ts'
import { wasmModules, writeWasmModule } from './support/wat.ts'

const usage = `npm run build:wasm
Writes the modules of WebAssembly that stand in the code, each from its source in the text format (.wat).`

await runTool({ usage, options: {} }, async () => {
  for (const module of wasmModules) {
    await writeFile(module.target, await writeWasmModule(module))
    console.log(`wrote ${module.target}`)
  }
})
