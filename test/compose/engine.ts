import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Runs `docker` to its end; what it wrote to standard output. @throws Error with all that it wrote when it fails */
export const docker = async (args: readonly string[], environment: Record<string, string> = {}): Promise<string> => {
  const child = spawn('docker', args, { env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] })
  const [output, all]: string[][] = [[], []]
  child.stdout.on('data', (chunk: Buffer) => [output, all].forEach((to) => to?.push(String(chunk))))
  child.stderr.on('data', (chunk: Buffer) => all?.push(String(chunk)))
  const [code] = (await once(child, 'close')) as [number | null] // the event's first argument, by Node's docs
  if (code === 0) return (output ?? []).join('')
  throw new Error(`docker ${args.join(' ')} ended with ${code}:\n${(all ?? []).join('').slice(-4_000)}`)
}

const answers = async (...args: string[]) => {
  try {
    await docker(args)
    return true
  } catch {
    return false
  }
}

/**
 * Whether containers can be run here. Where they can't one line says so, and COMPOSE_TESTS=required makes it an error.
 */
export const hasEngine = async (): Promise<boolean> => {
  if ((await answers('version')) && (await answers('compose', 'version'))) return true
  const advice = 'a Docker engine and docker compose 2 are needed'
  if (process.env['COMPOSE_TESTS'] === 'required') throw new Error(`COMPOSE_TESTS=required: ${advice}`)
  tellOnce(`The compose tests are skipped: ${advice}.`)
  return false
}

/** The test runner starts a process for each file: the first one of a run speaks for all. */
const tellOnce = (line: string) => {
  try {
    writeFileSync(join(tmpdir(), `compose-tests-skipped-${process.ppid}`), '', { flag: 'wx' })
    process.stdout.write(`${line}\n`)
  } catch {
    // It has been told.
  }
}
