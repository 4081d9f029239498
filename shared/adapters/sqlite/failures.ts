import { OutageError, SetupError } from '#shared/ports/failures.ts'
import { backoff, pause } from '#shared/runtime/backoff.ts'

/** Primary result codes, https://www.sqlite.org/rescode.html */
const outageCodes = new Map([
  [5, 'other processes keep the file busy'],
  [6, 'the file is locked'],
  [10, 'the disk failed'],
  [13, 'the disk is full'],
])
const setupCodes = new Map([
  [3, 'may not be accessed'],
  [8, 'can not be written'],
  [11, 'is damaged'],
  [14, 'can not be opened'],
  [26, 'is not a database'],
])

const isBusy = (error: unknown): boolean => [5, 6].includes(resultCode(error) ?? 0)

/** What SQLite or the file system threw, as the port's errors; anything else stays as it is. */
export const explainFailure = (error: unknown, path: string): unknown => {
  const code = resultCode(error)
  const cause = { cause: error }
  const outage = outageCodes.get(code ?? -1)
  if (outage) return new OutageError('the event log', `${path}: ${outage}`, cause)
  const wrong = setupCodes.get(code ?? -1)
  if (wrong)
    return new SetupError(`The event log ${path} ${wrong}. Name a file in a directory that can be written.`, cause)
  const isFileError = error instanceof Error && 'syscall' in error
  if (isFileError) return new SetupError(`The event log ${path} can not be created: ${error.message}`, cause)
  return error
}

const resultCode = (error: unknown): number | undefined =>
  error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : undefined

const busyAttempts = 12
const busyDelayMs = backoff({ baseMs: 20, capMs: 300 })

/**
 * Repeats the work while other processes keep the file busy, without holding up this one: about 4 s, the connection's
 * own waits included.
 * @throws the port's errors
 */
export const whileBusy = async <T>(work: () => T, path: string): Promise<T> => {
  for (let attempt = 0; ; attempt++) {
    try {
      return work()
    } catch (error) {
      if (!isBusy(error) || attempt + 1 >= busyAttempts) throw explainFailure(error, path)
    }
    await pause(busyDelayMs(attempt))
  }
}
