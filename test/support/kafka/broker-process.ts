import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { openSync, closeSync } from 'node:fs'
import { readFile, rename } from 'node:fs/promises'
import { Socket } from 'node:net'
import { join } from 'node:path'

import { eventually } from '../eventually.ts'
import { archiveOf, classPath, jvmOptions } from './jars.ts'

const startTimeoutMs = 60_000

/** Runs a broker on `directory/server.properties` until it is ended, at the latest with this process. */
export const runBroker = async (jars: string, directory: string) => {
  const output = join(directory, 'broker.log')
  const archive = archiveOf(jars)
  // The first broker that ends in peace leaves an archive of its classes, which halves the start of all later ones.
  const recorded = archive.exists ? undefined : join(directory, 'recorded.jsa')
  const recording = recorded ? [`-XX:ArchiveClassesAtExit=${recorded}`] : []
  const args = [...jvmOptions(archive), ...recording, '-cp', classPath(jars), 'kafka.Kafka']
  const file = openSync(output, 'w')
  const child = spawn('java', [...args, join(directory, 'server.properties')], { stdio: ['ignore', file, file] })
  closeSync(file)
  child.unref()
  const exited = once(child, 'exit')
  const guard = startGuard(child)

  const end = async (signal: 'SIGKILL' | 'SIGTERM') => {
    child.kill(signal)
    await exited
    guard.kill('SIGKILL')
  }
  const isReady = async () => {
    const text = await readFile(output, 'utf8')
    if (child.exitCode !== null) throw new Error(`the broker ended with ${child.exitCode}:\n${text.slice(-3_000)}`)
    return text.includes('Kafka Server started')
  }
  await eventually(isReady, `the broker's start (${output})`, startTimeoutMs).catch(async (error: unknown) => {
    await end('SIGKILL')
    throw error
  })
  return {
    kill: () => end('SIGKILL'),
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    stop: async () => {
      await end(recorded ? 'SIGTERM' : 'SIGKILL')
      if (recorded) await rename(recorded, archive.path).catch(() => undefined)
    },
  }
}

/** Outlives this process, however that ends, just long enough to kill the broker. */
const startGuard = ({ pid }: ChildProcess): ChildProcess => {
  const script = 'read -r _; kill -9 "$1"'
  const guard = spawn('sh', ['-c', script, 'guard', String(pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  guard.unref()
  if (guard.stdin instanceof Socket) guard.stdin.unref()
  return guard
}
