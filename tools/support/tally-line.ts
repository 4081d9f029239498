/** A terminal shows no more than this. */
const redrawMs = 100

/** A line on stderr that is written over while work goes on; without a terminal only what must be told is written. */
export const tallyLine = () => {
  const terminal = process.stderr.isTTY
  let drawnMs = -Infinity
  const clear = () => {
    if (terminal) process.stderr.write('\r\x1b[K')
  }
  return {
    draw: (text: string) => {
      if (!terminal || performance.now() - drawnMs < redrawMs) return
      drawnMs = performance.now()
      process.stderr.write(`\r\x1b[K${text}`)
    },
    line: (text: string) => {
      clear()
      console.error(text)
    },
    clear,
  }
}
