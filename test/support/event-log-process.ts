import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const startScript = (script: string, args: readonly string[]) => {
  const path = fileURLToPath(new URL(script, import.meta.url))
  const child = spawn(process.execPath, [path, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  const exited = once(child, 'close')
  return {
    /** What it has printed so far, in whole lines. */
    lines: () => output.split('\n').slice(0, -1),
    exited: exited.then(() => child.exitCode),
    kill: async () => {
      child.kill('SIGKILL')
      await exited
    },
  }
}

export const startAppender = (path: string, topic: string, name: string, count: number) =>
  startScript('./event-log-appender.ts', [path, topic, name, String(count)])

export const startMember = (path: string, topic: string, group: string) =>
  startScript('./event-log-member.ts', [path, topic, group])
