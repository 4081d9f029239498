import { parseArgs, type ParseArgsConfig } from 'node:util'

import { messageOf } from '#shared/runtime/message-of.ts'

type Options = NonNullable<ParseArgsConfig['options']>
type Given = { values: Record<string, string | boolean | undefined>; positionals: string[] }

/** Something the caller did: told without a stack. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/**
 * A command's main: reads its arguments, prints its usage for --help, and tells a failure in one sentence with exit code
 * 1 (2 when the arguments were wrong).
 */
export const runTool = async (
  { usage, options }: { usage: string; options: Options },
  work: (given: Given) => Promise<void>,
): Promise<void> => {
  process.stdout.on('error', leaveQuietly)
  try {
    const { values, positionals } = readArguments(options)
    if (values['help'] === true) console.log(usage)
    else await work({ values, positionals })
  } catch (error) {
    const wrong = error instanceof UsageError
    console.error(messageOf(error))
    if (wrong) console.error(`\n${usage}`)
    process.exitCode = wrong ? 2 : 1
  }
}

/** Whoever read the output has seen enough, as with `| head`. */
const leaveQuietly = (error: Error) => {
  if (!('code' in error && error.code === 'EPIPE')) throw error
  process.exit(0)
}

const readArguments = (options: Options): Given => {
  try {
    const { values, positionals } = parseArgs({
      options: { ...options, help: { type: 'boolean', short: 'h' } },
      allowPositionals: true,
    })
    return { values, positionals }
  } catch (error) {
    throw new UsageError(messageOf(error))
  }
}
