import { readFile } from 'node:fs/promises'

import openWabt from 'wabt'

/** A source in WebAssembly's text format and the module of it, as a constant that code can import. */
export const wasmModules = [
  { source: 'shared/domain/images/pairs.wat', target: 'shared/domain/images/pairs-wasm.ts', name: 'pairsWasm' },
] as const

/** What the target of a module holds. */
export const writeWasmModule = async ({ source, name }: (typeof wasmModules)[number]): Promise<string> => {
  const wabt = await openWabt()
  const module = wabt.parseWat(source, await readFile(source, 'utf8'), { simd: true })
  try {
    const { buffer } = module.toBinary({})
    const file = source.slice(source.lastIndexOf('/') + 1)
    const base64 = Buffer.from(buffer).toString('base64')
    return `/** Made of ${file} by \`npm run build:wasm\`. */\n// prettier-ignore\nexport const ${name} =\n  '${base64}'\n`
  } finally {
    module.destroy()
  }
}
