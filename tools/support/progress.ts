import { basename } from 'node:path'

import type { Step } from './upload-image.ts'

/** More files than this have a bar instead of a line for every step. */
const fewFiles = 10
const barWidth = 30

/** Tells how uploads go: every step of a few files; of many, a bar and only what went wrong. */
export const progress = (files: number) => {
  const many = files > fewFiles
  const terminal = process.stderr.isTTY
  const started = performance.now()
  let done = 0

  const draw = () => {
    if (!many || !terminal) return
    const filled = Math.floor((done / files) * barWidth)
    process.stderr.write(`\r[${'#'.repeat(filled)}${'.'.repeat(barWidth - filled)}] ${done}/${files}`)
  }
  const line = (text: string) => {
    if (many && terminal) process.stderr.write('\r\x1b[K')
    console.log(text)
    draw()
  }
  return {
    /** Whether every step has its line. */
    showsSteps: !many,
    note: line,
    step: ({ file, ms, what, detail }: Step) => {
      if (!many || wentWrong.has(what)) line(`${file}  ${ms.toFixed(0).padStart(5)} ms  ${what.padEnd(10)}  ${detail}`)
    },
    failed: (file: string, error: unknown) => {
      line(`${basename(file)}  failed: ${error instanceof Error ? describe(error) : String(error)}`)
      return false
    },
    finished: () => {
      done++
      draw()
    },
    close: (accepted: number) => {
      if (many && terminal) process.stderr.write('\n')
      const seconds = ((performance.now() - started) / 1000).toFixed(1)
      if (files > 1) console.log(`${accepted} of ${files} accepted in ${seconds} s`)
    },
  }
}

const wentWrong = new Set(['refused', 'not stored', 'rejected'])

/** fetch hides what happened in the cause. */
const describe = ({ message, cause }: Error) => (cause instanceof Error ? `${message}: ${cause.message}` : message)
