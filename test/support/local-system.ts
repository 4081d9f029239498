import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { localSystemSchema, type LocalSystem } from '#shared/domain/local-mode.ts'

import { eventually } from './eventually.ts'

/** A local system in a process of its own, as `npm start` begins it. */
export type RunningSystem = {
  system: LocalSystem
  child: ChildProcess
  /** What it wrote so far, both streams. */
  output: () => string
  /** Rejects with what it wrote when it ends without having been told to. */
  died: Promise<never>
  /** Ends it and waits; answers its exit code, null after SIGKILL. */
  end: (signal: 'SIGTERM' | 'SIGKILL') => Promise<number | null>
}

export const temporaryDirectory = () => {
  const path = mkdtempSync(join(tmpdir(), 'image-intake-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 3 }) }
}

/** Begins a process of ours and keeps what it writes. */
export const startProcess = (file: string, args: readonly string[], environment: Record<string, string>) => {
  const child = spawn(process.execPath, [file, ...args], {
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)))
  const ended = once(child, 'close').then(([code]) => code as number | null) // the event's first argument, by Node's docs
  return { child, output: () => output, ended }
}

/** Begins a local system and waits until it is ready. */
export const startSystem = async (
  dataPath: string,
  environment: Record<string, string> = {},
): Promise<RunningSystem> => {
  const { child, output, ended } = startProcess('local/main.ts', [], {
    DATA_DIR: dataPath,
    PORT: '0',
    AWS_PORT: '0',
    ...environment,
  })
  const system = await eventually(
    () => {
      if (child.exitCode !== null) throw new Error(`the system ended with ${child.exitCode}:\n${output()}`)
      return readLocalFile(dataPath, child.pid)
    },
    'the local system to be ready',
    30_000,
  )
  let told = false
  const died = new Promise<never>((_, reject) => {
    void ended.then((code) => {
      if (!told) reject(new Error(`the system ended by itself with ${code}:\n${output().slice(-2000)}`))
    })
  })
  died.catch(() => undefined)
  const end = (signal: 'SIGTERM' | 'SIGKILL') => {
    told = true
    child.kill(signal)
    return ended
  }
  return { system, child, output, died, end }
}

/** The file of this process, not one that a killed process before it left behind. */
const readLocalFile = (dataPath: string, pid: number | undefined) => {
  try {
    const system = localSystemSchema.parse(JSON.parse(readFileSync(join(dataPath, 'local.json'), 'utf8')))
    return system.pid === pid ? system : undefined
  } catch {
    return undefined
  }
}

/** Ports that a system was given at its first start, for the starts after it. */
export const portsOf = ({ api_url, aws_url }: LocalSystem) => ({
  PORT: new URL(api_url).port,
  AWS_PORT: new URL(aws_url).port,
})
