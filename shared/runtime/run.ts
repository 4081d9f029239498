import { z } from 'zod'

import { pause } from './backoff.ts'
import { readConfig, variable } from './config.ts'
import { aborted, endOnSignals, lifetime, type Lifetime, type Signals } from './lifetime.ts'
import { logLevels, openLog, type Log } from './log.ts'
import { redact } from './redact.ts'
import { flushTraces } from './tracing.ts'

/** A part lives until `stop`, then finishes what is in hand. Ending before stop, or rejecting, is a failure of the whole. */
export type Part = {
  name: string
  run: (signals: Signals) => Promise<void>
  /** It serves the others (health): its `deadline` comes when all others have ended, so it lasts as long as they do. */
  last?: boolean
}

/** What a process has to finish what is in hand. Whoever ends it by force waits longer than this and the margin. */
export const processGraceMs = 25_000
/** What a part may take to notice the deadline. */
export const marginMs = 1000
const longestTimerMs = 2 ** 31 - 1

/**
 * Runs all parts under one lifetime, and keeps the process alive meanwhile. A part that fails ends the others; one that
 * has not returned a second after the deadline is left behind and counts as failed.
 * @throws the first failure, once all parts have ended.
 */
export const run = async (parts: readonly Part[], life: Lifetime, log: Log): Promise<void> => {
  const running = new Set(parts)
  const failures: unknown[] = []
  const othersEnded = new AbortController()
  const fail = (error: unknown, name: string) => {
    failures.push(error)
    log.error({ err: error, part: name }, `${name} failed`)
    life.end(`${name} failed`)
  }
  const supervise = async (part: Part) => {
    const deadline = part.last ? AbortSignal.any([life.deadline, othersEnded.signal]) : life.deadline
    try {
      await part.run({ stop: life.stop, deadline })
      if (!life.stop.aborted) throw new Error(`${part.name} ended without having been told to stop`)
    } catch (error) {
      fail(error, part.name)
    }
    running.delete(part)
    if ([...running].every(({ last }) => last)) othersEnded.abort()
  }
  const keepAlive = setInterval(() => undefined, longestTimerMs)
  const ended = new AbortController()
  await Promise.race([Promise.all(parts.map(supervise)), overdue(life, ended.signal)])
  clearInterval(keepAlive)
  ended.abort()
  for (const { name } of running) fail(new Error(`${name} did not end in time and was left behind`), name)
  if (failures.length > 0) throw failures[0]
}

/** Resolves when the deadline and a margin have passed, or when `ended` aborts. */
const overdue = async (life: Signals, ended?: AbortSignal): Promise<void> => {
  await aborted(ended ? AbortSignal.any([life.deadline, ended]) : life.deadline)
  await pause(marginMs, ended)
}

/** Opens what a process needs and gives its parts, ready to run. */
export type Start = (context: { log: Log; life: Lifetime }) => Promise<readonly Part[]>

/** What every process reads by itself. */
export const processVariables = {
  LOG_LEVEL: variable(
    'the least level that is logged',
    'info',
    z.enum(logLevels, { error: `is not one of ${logLevels.join(', ')}` }).default('info'),
  ),
}

/**
 * A process's main: opens its parts by `start`, runs them and exits: 0 after a clean stop, 1 after a failure, which is
 * told in one sentence on standard error. Never returns to its caller.
 */
export const runProcess = async (
  name: string,
  start: Start,
  { graceMs = processGraceMs }: { graceMs?: number } = {},
): Promise<void> => {
  const die = (error: unknown) => {
    const sentences = redact(describeFailure(error)).split('\n')
    process.stderr.write(sentences.map((sentence) => `${name}: ${sentence}\n`).join(''))
    process.exit(1)
  }
  try {
    const { LOG_LEVEL } = readConfig(processVariables, process.env)
    const log = openLog({ name, level: LOG_LEVEL })
    const life = lifetime({ graceMs })
    // Node raises an unhandled rejection as an uncaught exception.
    process.on('uncaughtException', (err) => {
      log.fatal({ err }, 'a fault of the program')
      die(err)
    })
    endOnSignals(life, log)
    const parts = await Promise.race([start({ log, life }), overdue(life)]).catch((err: unknown) => {
      if (isBug(err)) log.fatal({ err }, 'did not start')
      throw err
    })
    if (!parts) throw new Error('did not finish starting before it had to stop')
    await run(parts, life, log)
    log.info('stopped')
    await flushTraces()
  } catch (error) {
    die(error)
  }
  process.exit(0)
}

// Of an error that the program itself made the stack is needed; of all others the sentence is enough.
const isBug = (error: unknown) =>
  [TypeError, RangeError, ReferenceError, SyntaxError].some((kind) => error instanceof kind)

/** An error's message and those of its causes. */
const describeFailure = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  const message =
    error.message || (error instanceof AggregateError ? error.errors.map(describeFailure).join('; ') : error.name)
  if (error.cause === undefined) return message
  const cause = describeFailure(error.cause)
  return message.includes(cause) ? message : `${message}: ${cause}`
}
