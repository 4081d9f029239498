import { readFile } from 'node:fs/promises'

import openWabt from 'wabt'

const source = 'shared/domain/images/pairs.wat'

/** Holds the module of that source as a constant that code can import. */
export const pairsModule = 'shared/domain/images/pairs-wasm.ts'

/** What `pairsModule` holds. */
export const writePairsModule = async (): Promise<string> => {
  const wabt = await openWabt()
  const module = wabt.parseWat(source, await readFile(source, 'utf8'), { simd: true })
  try {
    const base64 = Buffer.from(module.toBinary({}).buffer).toString('base64')
    return `/** Made of pairs.wat by \`npm run build:wasm\`. */\n// prettier-ignore\nexport const pairsWasm =\n  '${base64}'\n`
  } finally {
    module.destroy()
  }
}
