import { startProcess } from './local-system.ts'

/** Runs a command of tools/ to its end. */
export const runTool = async (name: string, args: readonly string[], environment: Record<string, string>) => {
  const { output, ended } = startProcess(`tools/${name}.ts`, args, environment)
  const code = await ended
  return { code, output: output(), lines: output().trimEnd().split('\n') }
}
