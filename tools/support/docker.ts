import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'

/** Runs `docker` to its end; what it wrote to standard output. @throws Error with what it wrote to standard error */
export const docker = async (
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<string> => {
  const child = spawn('docker', args, { env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] })
  const [ended, output, errors] = await Promise.all([once(child, 'close'), text(child.stdout), text(child.stderr)])
  const [code] = ended as [number | null] // the event's first argument, by Node's docs
  if (code === 0) return output
  throw new Error(`docker ${args[0]} ended with ${code}:\n${(output + errors).slice(-4_000)}`)
}
