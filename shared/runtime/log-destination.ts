import { pino } from 'pino'

const maxWaitingCharacters = 65_536

/**
 * Writes to a file descriptor what one turn of the event loop has logged, at the turn's end, in one call; when the process
 * ends, whatever still waits. Only SIGKILL can take lines with it: those of that very turn.
 */
export const turnDestination = (fd: number): pino.DestinationStream => {
  const out = pino.destination({ fd, sync: true })
  let waiting = ''
  const flush = () => {
    if (waiting === '') return
    const text = waiting
    waiting = ''
    out.write(text)
  }
  process.on('exit', flush)
  return {
    write: (line) => {
      if (waiting === '') setImmediate(flush)
      waiting += line
      if (waiting.length > maxWaitingCharacters) flush()
    },
  }
}
